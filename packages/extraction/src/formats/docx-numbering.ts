import { attribute, parseWholeXml } from '../archive/xml.ts';
import type { ZipArchive } from '../archive/zip-archive.ts';

/** Counts numbered paragraphs. Their numbers ("Điều 5.") are not in the text of a document, but people ask for them. */
export interface Numbering {
  /** Counts a paragraph of a list at a level (from 0) and gives its number as shown; empty for bullets. */
  next(list: string, level: number): string;
}

interface Level {
  start: number;
  format: string;
  /** `%1.%2.` with the numbers of the levels, from 1. */
  pattern: string;
}

/** Reads `numbering.xml`; without one, nothing has a number. */
export async function readNumbering(archive: ZipArchive, part: string): Promise<Numbering> {
  const definitions = new Map<string, Level[]>();
  const lists = new Map<string, string>();
  if (archive.has(part)) await parseNumbering(archive, part, definitions, lists);
  const counters = new Map<string, number[]>();

  return {
    next(list, level) {
      const definition = lists.get(list) ?? '';
      const levels = definitions.get(definition);
      const own = levels?.[level];
      if (levels === undefined || own === undefined) return '';
      const counts = counters.get(definition) ?? [];
      counters.set(definition, counts);
      counts[level] = (counts[level] ?? own.start - 1) + 1;
      counts.length = level + 1;
      if (own.format === 'bullet' || own.format === 'none') return '';
      return own.pattern.replace(/%([1-9])/g, (_, digit) => {
        const at = Number(digit) - 1;
        return format(counts[at] ?? levels[at]?.start ?? 1, levels[at]?.format ?? 'decimal');
      });
    },
  };
}

async function parseNumbering(
  archive: ZipArchive,
  part: string,
  definitions: Map<string, Level[]>,
  lists: Map<string, string>,
): Promise<void> {
  let levels: Level[] = [];
  let level: Level | undefined;
  let list: string | null = null;
  await parseWholeXml(archive, part, {
    open(name, attributes) {
      const value = attribute(attributes, 'val') ?? '';
      if (name === 'abstractNum') {
        levels = [];
        definitions.set(attribute(attributes, 'abstractNumId') ?? '', levels);
      } else if (name === 'num') list = attribute(attributes, 'numId');
      else if (name === 'abstractNumId' && list !== null) lists.set(list, value);
      else if (name === 'lvl' && list === null) {
        level = { start: 1, format: 'decimal', pattern: '' };
        levels[Math.min(8, Number(attribute(attributes, 'ilvl') ?? 0) || 0)] = level;
      } else if (level !== undefined && list === null) {
        if (name === 'start') level.start = Number(value) || 0;
        else if (name === 'numFmt') level.format = value;
        else if (name === 'lvlText') level.pattern = value;
      }
    },
  });
}

function format(value: number, kind: string): string {
  if (kind === 'lowerLetter') return letters(value);
  if (kind === 'upperLetter') return letters(value).toUpperCase();
  if (kind === 'lowerRoman') return roman(value).toLowerCase();
  if (kind === 'upperRoman') return roman(value);
  return kind === 'decimalZero' ? String(value).padStart(2, '0') : String(value);
}

/** a to z, then aa, bb, ... */
function letters(value: number): string {
  if (value < 1 || value > 780) return String(value);
  return String.fromCharCode(97 + ((value - 1) % 26)).repeat(Math.floor((value - 1) / 26) + 1);
}

const numerals: readonly [number, string][] = [
  [1000, 'M'],
  [900, 'CM'],
  [500, 'D'],
  [400, 'CD'],
  [100, 'C'],
  [90, 'XC'],
  [50, 'L'],
  [40, 'XL'],
  [10, 'X'],
  [9, 'IX'],
  [5, 'V'],
  [4, 'IV'],
  [1, 'I'],
];

function roman(value: number): string {
  if (value < 1 || value > 3999) return String(value);
  let rest = value;
  let text = '';
  for (const [size, sign] of numerals) {
    while (rest >= size) {
      text += sign;
      rest -= size;
    }
  }
  return text;
}
