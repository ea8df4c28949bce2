import { attribute, parseWholeXml } from '../archive/xml.ts';
import type { ZipArchive } from '../archive/zip-archive.ts';

/** What a paragraph takes from its style. */
export interface ParagraphStyle {
  /** From 1; of a heading. */
  heading?: number;
  /** The list whose numbers it has, and the level in it, from 0. */
  list?: string;
  listLevel?: number;
}

/** Paragraph styles by id. A style takes what it does not set from the one that it is based on. */
export async function readStyles(archive: ZipArchive, part: string): Promise<Map<string, ParagraphStyle>> {
  const styles = new Map<string, ParagraphStyle>();
  const parents = new Map<string, string>();
  if (!archive.has(part)) return styles;
  let id = '';
  let style: ParagraphStyle = {};
  await parseWholeXml(archive, part, {
    open(name, attributes) {
      const value = attribute(attributes, 'val') ?? '';
      if (name === 'style') {
        id = attribute(attributes, 'styleId') ?? '';
        style = {};
        styles.set(id, style);
      } else if (name === 'basedOn') parents.set(id, value);
      else if (name === 'numId') style.list = value;
      else if (name === 'ilvl') style.listLevel = Number(value) || 0;
      else if (name === 'outlineLvl' && /^[0-8]$/.test(value)) style.heading = Number(value) + 1;
      else if (name === 'name') nameStyle(style, value);
    },
  });
  return new Map([...styles.keys()].map((key) => [key, resolve(key, styles, parents)]));
}

/** The names of built-in styles are the same in every language of Word. */
function nameStyle(style: ParagraphStyle, name: string): void {
  const [, digit] = /^heading ([1-9])$/i.exec(name) ?? [];
  if (digit !== undefined) style.heading ??= Number(digit);
  else if (/^title$/i.test(name)) style.heading ??= 1;
}

function resolve(
  id: string,
  styles: Map<string, ParagraphStyle>,
  parents: Map<string, string>,
): ParagraphStyle {
  let resolved: ParagraphStyle = {};
  let current: string | undefined = id;
  // Chains are short; one that is not goes in circles.
  for (let steps = 0; current !== undefined && steps < 16; steps += 1) {
    resolved = { ...styles.get(current), ...resolved };
    current = parents.get(current);
  }
  return resolved;
}
