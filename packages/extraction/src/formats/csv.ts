import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import type { Block, ReaderContext, Source } from '../block.ts';
import { ExtractionError } from '../errors.ts';
import { cleanLine } from '../text/clean-text.ts';
import { decodeFile } from '../text/decode.ts';
import { createRowReader } from './rows.ts';

const longestRecord = 1024 * 1024;

/** CSV and its relatives: each row as `column: value`. The delimiter is the one that is most frequent in the first line. */
export async function* readCsv(source: Source, _context: ReaderContext): AsyncGenerator<Block> {
  const text = decodeFile(source.path, source.charset);
  const { value: first = '' } = await text.next();
  const parser = parse({
    delimiter: guessDelimiter(first),
    bom: true,
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: longestRecord,
  });
  const input = Readable.from(prepend(first, text));
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  const reader = createRowReader();
  try {
    for await (const record of parser) yield* reader.row((record as string[]).map(cleanLine));
  } catch (error) {
    throw explain(error);
  } finally {
    input.destroy();
  }
  yield* reader.end();
}

function guessDelimiter(text: string): string {
  const line = (text.split(/\r\n?|\n/, 1)[0] ?? '').replace(/"[^"]*"/g, '');
  const counts = [',', ';', '\t', '|'].map((mark) => [mark, line.split(mark).length] as const);
  return counts.reduce((most, it) => (it[1] > most[1] ? it : most))[0];
}

async function* prepend(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

function explain(error: unknown): unknown {
  const { code, lines, message } = error as { code?: string; lines?: number; message?: string };
  if (!code?.startsWith('CSV_')) return error;
  const details = lines === undefined ? {} : { line: lines };
  const where = lines === undefined ? '' : ` near line ${lines}`;
  return new ExtractionError('broken_document', `The CSV is broken${where}: ${message}`, {
    details,
    cause: error,
  });
}
