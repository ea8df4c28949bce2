import { isDeepStrictEqual } from 'node:util';
import type { Chunk } from '@sluice/extraction';
import type { Queryable } from '@sluice/pool';
import type { Collection } from '@sluice/store';
import { markersOf } from '../corpus/content.ts';
import { markersIn } from '../corpus/paragraphs.ts';
import { expectedLive, expectedMetadata, type SentDocument, type SentUpload } from '../ledger.ts';
import type { ExpectedChunk, Reference } from './reference.ts';
import type { Violation } from './violation.ts';

interface ChunkRow extends Chunk, Record<string, unknown> {
  metadata: Record<string, unknown>;
  vector: Buffer;
}

/** The chunks of a live document are exactly those of the bytes that were sent last. */
export async function checkChunks(
  db: Queryable,
  collection: Collection,
  document: SentDocument,
  reference: Reference,
): Promise<Violation[]> {
  const live = expectedLive(document);
  if (!live) return [];
  const { rows } = await db.query<ChunkRow>(
    `select ordinal, text, tokens, page, heading_path as "headingPath", char_start as "charStart", char_end as "charEnd",
       metadata, vector_send(embedding) as vector
     from sluice.chunks_${collection.id} where document_id = $1::uuid order by ordinal`,
    [document.documentId],
  );
  const expected = await reference.chunksOf(document, live.content);
  return [
    ...checkPlaces(document, live, rows, expected),
    ...checkMarkers(document, live, rows),
    ...(await checkCounts(db, document, live, expected.length)),
  ];
}

function* checkPlaces(
  document: SentDocument,
  live: SentUpload,
  rows: readonly ChunkRow[],
  expected: readonly ExpectedChunk[],
): Generator<Violation> {
  const subject = document.key;
  const byOrdinal = Map.groupBy(rows, ({ ordinal }) => ordinal);
  const metadata = expectedMetadata(document, live);
  for (const chunk of expected) {
    const [row, ...others] = byOrdinal.get(chunk.ordinal) ?? [];
    const detail = `chunk ${chunk.ordinal} of ${expected.length}`;
    if (!row) yield { kind: 'missing_chunk', subject, detail };
    else if (others.length > 0)
      yield { kind: 'doubled_chunk', subject, detail: `${detail}: ${others.length + 1} rows` };
    else yield* checkRow(subject, detail, row, chunk, metadata);
    byOrdinal.delete(chunk.ordinal);
  }
  for (const ordinal of byOrdinal.keys())
    yield { kind: 'unexpected_chunk', subject, detail: `chunk ${ordinal} of ${expected.length}` };
}

function* checkRow(
  subject: string,
  detail: string,
  row: ChunkRow,
  chunk: ExpectedChunk,
  metadata: object,
): Generator<Violation> {
  const { vector, ...place } = chunk;
  const { vector: _, metadata: given, ...found } = row;
  if (!isDeepStrictEqual({ ...found }, place)) {
    yield {
      kind: 'wrong_text',
      subject,
      detail: `${detail}: ${JSON.stringify(found)}, not ${JSON.stringify(place)}`,
    };
  }
  if (!row.vector.equals(vector)) yield { kind: 'wrong_vector', subject, detail };
  if (!isDeepStrictEqual(given, metadata))
    yield { kind: 'wrong_metadata', subject, detail: `${detail}: ${JSON.stringify(given)}` };
}

/** Says the same of the text without the extraction that the product has, too. */
function* checkMarkers(
  { key }: SentDocument,
  { content }: SentUpload,
  rows: readonly ChunkRow[],
): Generator<Violation> {
  const sent = markersOf(content);
  if (!sent) return;
  const found = rows.flatMap(({ text }) => markersIn(key, text));
  if (isDeepStrictEqual(found, sent)) return;
  const at = sent.findIndex((marker, i) => found[i] !== marker);
  yield {
    kind: 'wrong_markers',
    subject: key,
    detail: `${found.length} sentences, ${sent.length} were sent; from the ${at + 1}th on ${found[at]}, not ${sent[at]}`,
  };
}

async function checkCounts(
  db: Queryable,
  { key, documentId }: SentDocument,
  { id }: SentUpload,
  chunks: number,
): Promise<Violation[]> {
  const { rows } = await db.query<{ name: string; value: number | null }>(
    `select figures.name, figures.value from sluice.documents d join sluice.uploads u on u.id = $2::uuid and d.id = $1::uuid,
       lateral (values ('documents.chunk_count', d.chunk_count), ('uploads.chunks_total', u.chunks_total),
         ('uploads.chunks_done', u.chunks_done)) as figures (name, value)`,
    [documentId, id],
  );
  return rows
    .filter(({ value }) => value !== chunks)
    .map(({ name, value }) => ({
      kind: 'wrong_count',
      subject: key,
      detail: `${name} is ${value}, not ${chunks}`,
    }));
}
