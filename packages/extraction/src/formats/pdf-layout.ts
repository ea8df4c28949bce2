import type { Block } from '../block.ts';

/** A run of text as pdfjs gives it: lengths in points, `transform[4]` and `[5]` are x and y from the lower left corner. */
export interface TextRun {
  str: string;
  transform: number[];
  width: number;
  height: number;
  hasEOL: boolean;
}

interface Line {
  text: string;
  x: number;
  y: number;
  right: number;
  size: number;
}

const listMark = /^([•‣▪●○*–-]|\(?(\d{1,3}|[a-zđ]|[ivx]{1,4})[.)])\s/iu;
const endOfSentence = /[.!?…:;]["'”’»)\]]*$/;
const longestHeading = 200;

/**
 * Returns a function that makes paragraphs and headings of the runs of one page. PDF knows neither: a paragraph ends where
 * the gap between lines, their size or their left edge says so, and a heading is a short paragraph larger than the text that
 * the document has had so far.
 */
export function createPageLayout(): (runs: readonly TextRun[]) => Block[] {
  /** Characters by font size, in half points; the most frequent size is the body's. */
  const sizes = new Map<number, number>();

  return function layout(runs) {
    const lines = toLines(runs);
    for (const { size, text } of lines)
      sizes.set(roundSize(size), (sizes.get(roundSize(size)) ?? 0) + text.length);
    const body = [...sizes].reduce((most, it) => (it[1] > most[1] ? it : most), [0, 0])[0];
    return paragraphsOf(lines).map((paragraph) => toBlock(paragraph, body));
  };
}

function toLines(runs: readonly TextRun[]): Line[] {
  const lines: Line[] = [];
  let line: Line | null = null;
  for (const { str, transform, width, height, hasEOL } of runs) {
    const [x = 0, y = 0] = transform.slice(4);
    line ??= { text: '', x, y, right: x, size: 0 };
    line.text += str;
    if (str.trim() !== '') {
      line.right = Math.max(line.right, x + width);
      line.size = Math.max(line.size, height);
    }
    if (!hasEOL) continue;
    lines.push(line);
    line = null;
  }
  if (line !== null) lines.push(line);
  return lines.filter((it) => it.text.trim() !== '');
}

function paragraphsOf(lines: readonly Line[]): Line[][] {
  const gaps = lines.flatMap((line, at) =>
    at > 0 && lines[at - 1]!.y > line.y ? [lines[at - 1]!.y - line.y] : [],
  );
  const leading = gaps.sort((one, two) => one - two)[Math.floor(gaps.length / 3)] ?? 0;
  const right = Math.max(...lines.map((line) => line.right));
  const paragraphs: Line[][] = [];
  for (const line of lines) {
    const last = paragraphs.at(-1);
    if (last === undefined || startsParagraph(last, line, leading, right)) paragraphs.push([line]);
    else last.push(line);
  }
  return paragraphs;
}

function startsParagraph(paragraph: readonly Line[], line: Line, leading: number, right: number): boolean {
  const before = paragraph.at(-1)!;
  const gap = before.y - line.y;
  const ended = endOfSentence.test(before.text.trimEnd());
  if (Math.abs(before.size - line.size) > 0.12 * Math.max(before.size, line.size)) return true;
  // The next column, or a line out of order: the paragraph goes on if its sentence does.
  if (gap < 0) return ended || !/^\s*\p{Ll}/u.test(line.text);
  if (gap > 1.35 * Math.max(leading, line.size)) return true;
  if (listMark.test(line.text.trimStart()) && (ended || listMark.test(paragraph[0]!.text.trimStart())))
    return true;
  const shortLine = before.right < line.x + 0.75 * (right - line.x);
  const indented = line.x > paragraph[0]!.x + 0.8 * line.size && paragraph.length > 1;
  return ended && (shortLine || indented);
}

function toBlock(lines: readonly Line[], body: number): Block {
  const text = joinLines(lines);
  const size = roundSize(lines[0]!.size);
  const isHeading = body > 0 && size >= body * 1.15 && text.length <= longestHeading && lines.length <= 3;
  if (isHeading) return { kind: 'heading', text, level: size >= body * 1.6 ? 1 : size >= body * 1.3 ? 2 : 3 };
  return { kind: listMark.test(text) ? 'list_item' : 'paragraph', text };
}

/** Joins lines, and words that were hyphenated at a line end: a letter before the hyphen, a small one after it. */
function joinLines(lines: readonly Line[]): string {
  let text = '';
  for (const line of lines) {
    const next = line.text.trim();
    if (/\p{L}[-\u00ad\u2010]$/u.test(text) && /^\p{Ll}/u.test(next)) text = text.slice(0, -1) + next;
    else text += text === '' ? next : ` ${next}`;
  }
  return text;
}

function roundSize(size: number): number {
  return Math.round(size * 2) / 2;
}
