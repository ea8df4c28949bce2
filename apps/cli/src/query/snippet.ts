import { findWords, type Span } from './fold.ts';

/** The stretch of at most `width` characters with the most matched words in it. */
function bestWindow(text: string, spans: readonly Span[], width: number): Span {
  if (text.length <= width) return { start: 0, end: text.length };
  let best = { start: 0, count: -1 };
  for (const { start } of [{ start: 0 }, ...spans]) {
    const count = spans.filter((span) => span.start >= start && span.end <= start + width).length;
    if (count > best.count) best = { start, count };
  }
  // Some words before the first match, for the sense of it, and never half a word.
  const lead = best.start === 0 ? 0 : Math.max(0, best.start - Math.floor(width / 6));
  const start = lead === 0 ? 0 : text.indexOf(' ', lead) + 1;
  const end = start + width >= text.length ? text.length : text.lastIndexOf(' ', start + width);
  return { start, end: end > start ? end : start + width };
}

/** What to show of a chunk: its best stretch, with `mark` on the words that were asked for. */
export function snippetOf(
  chunk: string,
  query: string,
  { width, mark }: { width: number; mark: (text: string) => string },
): string {
  const text = chunk.normalize('NFC').replace(/\s+/g, ' ').trim();
  const spans = findWords(text, query);
  const { start, end } = bestWindow(text, spans, width);
  let marked = start > 0 ? '… ' : '';
  let at = start;
  for (const span of spans) {
    if (span.start < start || span.end > end) continue;
    marked += text.slice(at, span.start) + mark(text.slice(span.start, span.end));
    at = span.end;
  }
  return marked + text.slice(at, end) + (end < text.length ? ' …' : '');
}
