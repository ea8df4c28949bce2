import { attribute, parseWholeXml } from '../archive/xml.ts';
import type { ZipArchive } from '../archive/zip-archive.ts';

export type NumberKind = 'number' | 'date' | 'time' | 'datetime' | 'percent';

/** Number formats that need no definition (ECMA-376 part 1, 18.8.30). 27 to 36 and 50 to 58 are dates in East Asia. */
function builtInKind(id: number): NumberKind {
  if ((id >= 14 && id <= 17) || (id >= 27 && id <= 36) || (id >= 50 && id <= 58)) return 'date';
  if (id === 22) return 'datetime';
  if ((id >= 18 && id <= 21) || (id >= 45 && id <= 47)) return 'time';
  return id === 9 || id === 10 ? 'percent' : 'number';
}

/** Excel allows no longer ones, and the patterns below go back and forth. */
const longestCode = 255;

function kindOfCode(code: string): NumberKind {
  // Quoted text, escaped characters, colours and conditions are no part of the pattern.
  const pattern = (code.slice(0, longestCode).split(';')[0] ?? '').replace(
    /"[^"]*"|\\.|_.|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi,
    '',
  );
  const date = /[yd]|m(?!.*[hs])/i.test(pattern) && !/general/i.test(pattern);
  const time = /h|s/i.test(pattern) && !/general/i.test(pattern);
  if (date) return time ? 'datetime' : 'date';
  if (time) return 'time';
  return pattern.includes('%') ? 'percent' : 'number';
}

/** What the numbers of a cell mean, by the index of its style. */
export async function readNumberKinds(archive: ZipArchive, part: string): Promise<NumberKind[]> {
  const codes = new Map<number, NumberKind>();
  const kinds: NumberKind[] = [];
  let inCells = false;
  await parseWholeXml(archive, part, {
    open(name, attributes) {
      const id = Number(attribute(attributes, 'numFmtId') ?? 0);
      if (name === 'numFmt') codes.set(id, kindOfCode(attribute(attributes, 'formatCode') ?? ''));
      else if (name === 'cellXfs') inCells = true;
      else if (name === 'xf' && inCells) kinds.push(codes.get(id) ?? builtInKind(id));
    },
    close(name) {
      if (name === 'cellXfs') inCells = false;
    },
  });
  return kinds;
}

const day = 86_400_000;

/** Dates are days since 1899-12-30 (or 1904-01-01), without a time zone; times are fractions of a day. */
export function formatNumber(text: string, kind: NumberKind, since1904: boolean): string {
  const value = Number(text);
  if (!Number.isFinite(value)) return text;
  if (kind === 'percent') return `${trimmed(value * 100)}%`;
  if (kind === 'number') return trimmed(value, text);
  const epoch = Date.UTC(since1904 ? 1904 : 1899, since1904 ? 0 : 11, since1904 ? 1 : 30);
  const date = new Date(Math.round((epoch + value * day) / 1000) * 1000);
  if (value < 0 || Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999) return trimmed(value, text);
  const [dayText, time] = date.toISOString().slice(0, 19).split('T') as [string, string];
  if (kind === 'date') return dayText;
  return kind === 'time' ? time : `${dayText} ${time}`;
}

/** 0.1 + 0.2 is stored as 0.30000000000000004 and shown as 0.3; integers stay as they are written. */
function trimmed(value: number, text?: string): string {
  if (text !== undefined && /^-?\d+$/.test(text)) return text;
  return String(Number(value.toPrecision(15)));
}

/** `BC12` is column 54. */
export function columnIndex(reference: string): number {
  let index = 0;
  for (const letter of /^[A-Z]{1,3}/i.exec(reference)?.[0].toUpperCase() ?? '')
    index = index * 26 + letter.charCodeAt(0) - 64;
  return index - 1;
}
