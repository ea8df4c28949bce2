import type { Block } from '../block.ts';
import type { Chunk } from './chunk.ts';
import { type ChunkingOptions, validateChunking } from './chunking-options.ts';
import { countTokens } from './tokens.ts';
import { createUnitizer, type Unit } from './units.ts';

/**
 * Cuts a stream of blocks into chunks and holds no more than one chunk at a time.
 *
 * A window of units fills up. It is cut (1) where a page ends, (2) where a section begins, once the window is reasonably
 * full, and (3) where the next unit does not fit, at the best boundary: before a heading rather than between blocks,
 * between blocks rather than between sentences, never between a heading and its text if that can be helped. After a cut
 * inside a section, the next window begins with the last sentences of the chunk before it; those are the overlap.
 */
export async function* chunkBlocks(
  blocks: AsyncIterable<Block>,
  options: ChunkingOptions,
): AsyncGenerator<Chunk> {
  const { maxTokens, overlapTokens } = validateChunking(options);
  // Overlap and one new unit must always fit together.
  const longestUnit = Math.max(
    8,
    Math.min(Math.floor(maxTokens / 2), overlapTokens === 0 ? maxTokens : overlapTokens),
  );
  const unitsOf = createUnitizer(longestUnit - 1);
  const window = createWindow(maxTokens, overlapTokens);
  let ordinal = 0;
  for await (const block of blocks) {
    for (const unit of unitsOf(block)) {
      for (const chunk of window.push(unit)) yield { ordinal: ordinal++, ...chunk };
    }
  }
  for (const chunk of window.flush()) yield { ordinal: ordinal++, ...chunk };
}

type Piece = Omit<Chunk, 'ordinal'>;

function createWindow(maxTokens: number, overlapTokens: number) {
  let units: Unit[] = [];
  /** How many units at the start of the window repeat the chunk before it. */
  let repeated = 0;
  let tokens = 0;

  /** Makes a chunk of the units before `at`, or of fewer if they turn out too long; the others stay. */
  function cut(at: number, next: Unit | null): Piece {
    let end = at;
    let chunk = toChunk(units.slice(0, end), repeated);
    // Counts of units add up to the count of their text, give or take a token where two of them meet.
    while (chunk.tokens > maxTokens && (end > repeated + 1 || repeated > 0)) {
      if (end > repeated + 1) end -= 1;
      else {
        units.shift();
        repeated -= 1;
        end -= 1;
      }
      chunk = toChunk(units.slice(0, end), repeated);
    }
    const first = units[end] ?? next;
    const overlap = first === null ? [] : overlapBefore(units.slice(0, end), first, overlapTokens);
    units = [...overlap, ...units.slice(end)];
    repeated = overlap.length;
    tokens = sum(units);
    return chunk;
  }

  function* flush(next: Unit | null = null): Generator<Piece> {
    while (units.length > repeated) yield cut(units.length, next);
    if (next === null) units = [];
  }

  function* push(unit: Unit): Generator<Piece> {
    const last = units.at(-1);
    const fresh = units.length > repeated;
    if (fresh && (last!.page !== unit.page || startsSection(unit, last!, tokens / maxTokens)))
      yield* flush(unit);
    while (tokens + unit.tokens > maxTokens && units.length > repeated) {
      yield cut(bestCut(units, unit, repeated, maxTokens), unit);
    }
    if (tokens + unit.tokens > maxTokens) dropRepeated();
    units.push(unit);
    tokens += unit.tokens;
  }

  function dropRepeated(): void {
    units = [];
    repeated = 0;
    tokens = 0;
  }

  return { push, flush: () => flush() };
}

function startsSection(unit: Unit, last: Unit, fill: number): boolean {
  return unit.isHeading && unit.startsBlock && !last.isHeading && fill >= (unit.level === 1 ? 0.25 : 0.5);
}

/**
 * Chooses between a fuller chunk and a better boundary: the score is the fill of the chunk plus what the boundary is worth,
 * so a paragraph's end at two thirds beats a sentence's end at the very end.
 */
function bestCut(units: readonly Unit[], next: Unit, repeated: number, maxTokens: number): number {
  let best = units.length;
  let bestScore = Number.NEGATIVE_INFINITY;
  let tokens = sum(units);
  for (let at = units.length; at > repeated; at -= 1) {
    const score = tokens / maxTokens + boundaryBonus(units[at - 1]!, units[at] ?? next);
    if (score > bestScore) {
      best = at;
      bestScore = score;
    }
    tokens -= units[at - 1]!.tokens;
  }
  return best;
}

function boundaryBonus(before: Unit, after: Unit): number {
  if (before.isHeading) return -1;
  if (after.isHeading && after.startsBlock) return 0.95;
  if (after.startsBlock) return 0.8;
  return after.startsSentence ? 0.45 : 0;
}

/** The last units of a chunk that fit into the overlap, whole sentences if there are any. */
function overlapBefore(units: readonly Unit[], next: Unit, overlapTokens: number): Unit[] {
  const last = units.at(-1);
  if (last === undefined || (next.isHeading && next.startsBlock)) return [];
  // Another page: only a sentence that goes on there is worth repeating.
  if (last.page !== next.page && endsSentence(last.text)) return [];
  let start = units.length;
  let tokens = 0;
  while (start > 0 && !units[start - 1]!.isHeading && tokens + units[start - 1]!.tokens <= overlapTokens) {
    start -= 1;
    tokens += units[start]!.tokens;
  }
  const tail = units.slice(start);
  const sentence = tail.findIndex((unit) => unit.startsSentence);
  return sentence > 0 ? tail.slice(sentence) : tail;
}

function endsSentence(text: string): boolean {
  return /[.!?…。:;]["'”’»)\]]*$/.test(text);
}

function toChunk(units: readonly Unit[], repeated: number): Piece {
  const joined = units.map((unit) => unit.text).join('');
  const text = joined.trim();
  const charStart = units[0]!.start + (joined.length - joined.trimStart().length);
  const fresh = units.slice(repeated);
  const origin = fresh.find((unit) => !unit.isHeading) ?? fresh.at(-1)!;
  const place = { page: fresh[0]!.page, headingPath: [...origin.headingPath] };
  return { text, tokens: countTokens(text), ...place, charStart, charEnd: charStart + text.length };
}

function sum(units: readonly Unit[]): number {
  return units.reduce((total, unit) => total + unit.tokens, 0);
}
