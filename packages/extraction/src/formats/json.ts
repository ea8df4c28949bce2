import type { Block, ReaderContext, Source } from '../block.ts';
import { ExtractionError } from '../errors.ts';
import { decodeFile } from '../text/decode.ts';
import { createJsonReader } from './json-blocks.ts';

/** JSON of any size: `name: value` lines, a block for each record. */
export async function* readJson(source: Source, _context: ReaderContext): AsyncGenerator<Block> {
  const reader = createJsonReader();
  let line = 1;
  for await (const text of decodeFile(source.path, source.charset)) {
    // Line by line, so that an error can name its line.
    for (const piece of text.split(/(?<=\n)/)) {
      yield* attempt(() => reader.write(piece), line);
      if (piece.endsWith('\n')) line += 1;
    }
  }
  yield* attempt(() => reader.end(), line);
}

function attempt(step: () => Block[], line: number): Block[] {
  try {
    return step();
  } catch (error) {
    throw brokenJson(error, line);
  }
}

export function brokenJson(error: unknown, line: number): ExtractionError {
  const reason = String((error as Error).message)
    .replace(/\.$/, '')
    .slice(0, 300);
  const message = `Line ${line} is not valid JSON: ${reason}.`;
  return new ExtractionError('broken_document', message, { details: { line }, cause: error });
}
