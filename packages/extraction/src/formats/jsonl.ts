import type { Block, ReaderContext, Source } from '../block.ts';
import { decodeFile, linesOf } from '../text/decode.ts';
import { brokenJson } from './json.ts';
import { createJsonReader, type JsonReader } from './json-blocks.ts';

/** JSON Lines: a record per line. One broken line fails the document, with its number. */
export async function* readJsonl(source: Source, _context: ReaderContext): AsyncGenerator<Block> {
  let reader: JsonReader | null = null;
  for await (const { text, number, partial } of linesOf(decodeFile(source.path, source.charset), 65_536)) {
    if (reader === null && text.trim() === '') continue;
    reader ??= createJsonReader();
    const blocks: Block[] = [];
    try {
      blocks.push(...reader.write(text));
      if (!partial) blocks.push(...reader.end());
    } catch (error) {
      throw brokenJson(error, number);
    }
    if (!partial) reader = null;
    yield* blocks;
  }
}
