import type { Queryable } from '@sluice/pool';
import { chunkTable } from './chunk-table.ts';
import type { Collection, Distance } from './collections.ts';
import { type NearestQuery, nearestChunks, type SearchedCollection } from './nearest-chunks.ts';
import { createParameters, type Parameters } from './parameters.ts';

/** A chunk beside a hit. */
export interface Neighbour {
  id: string;
  ordinal: number;
  text: string;
}

export interface ChunkHit {
  id: string;
  ordinal: number;
  text: string;
  page: number | null;
  headingPath: string[];
  charStart: number;
  charEnd: number;
  /** What the collection's operator gives: cosine distance, L2 distance, or the negative inner product. */
  distance: number;
  documentId: string;
  externalId: string;
  documentName: string;
  documentTitle: string | null;
  metadata: Record<string, unknown>;
  /** In their order, where they were asked for. */
  neighbours?: Neighbour[];
}

export interface ChunkQuery extends Omit<NearestQuery, 'limit'> {
  /** With the ones that are skipped. */
  limit: number;
  /** Candidates that a walk of the vector index keeps (`hnsw.ef_search`), 1 to 1 000. Default: what the server has. */
  effort?: number | undefined;
  /** Of the nearest, so many are skipped. Default 0. */
  offset?: number | undefined;
  /** At most `most` hits of a document, out of the nearest `candidates`; null: out of all. */
  perDocument?: { most: number; candidates: number | null } | undefined;
  /** How many chunks of the document before and after each hit come with it. */
  context?: { before: number; after: number } | undefined;
}

// Statements with more parameters have long filters, and shapes of their own: named, they would push the common ones out.
const maxPrepared = 24;

/** What the index is asked to keep; where that is less than it is asked for, to go on from there, whatever the connection has. */
export function effortSettings({
  effort,
  access,
  limit,
  perDocument,
}: Pick<ChunkQuery, 'effort' | 'access' | 'limit' | 'perDocument'>): Record<string, string> | undefined {
  if (effort === undefined || access === 'scan') return undefined;
  const settings = { 'hnsw.ef_search': String(effort) };
  const asked = perDocument ? perDocument.candidates : limit;
  return asked !== null && asked <= effort
    ? settings
    : { ...settings, 'hnsw.iterative_scan': 'strict_order' };
}

/** Higher is better: cosine similarity, 1 / (1 + L2 distance), or the inner product. */
export function scoreOf(kind: Distance, distance: number): number {
  if (kind === 'cosine') return 1 - distance;
  return kind === 'l2' ? 1 / (1 + distance) : -distance;
}

/** Only ids go through the window: candidates can be many, and texts long. */
function nearestPerDocument(
  collection: SearchedCollection,
  query: ChunkQuery & Required<Pick<ChunkQuery, 'perDocument'>>,
  parameters: Parameters,
): string {
  const { most, candidates } = query.perDocument as NonNullable<ChunkQuery['perDocument']>;
  const nearest = nearestChunks(collection, { ...query, limit: candidates }, parameters, 'id, document_id');
  return `select c.*, p.distance from (
       select id, distance from (
         select id, distance, row_number() over (partition by document_id order by distance, id) as place from (${nearest}) n
       ) placed where place <= ${parameters.bind(most, 'bigint')}
       order by distance, id limit ${parameters.bind(query.limit, 'int')}
     ) p join ${chunkTable(collection.id)} c on c.id = p.id`;
}

function neighboursOf(
  collection: SearchedCollection,
  { before, after }: NonNullable<ChunkQuery['context']>,
  { bind }: Parameters,
): string {
  return `left join lateral (
       select coalesce(json_agg(json_build_object('id', c.id, 'ordinal', c.ordinal, 'text', c.text) order by c.ordinal), '[]') as neighbours
       from ${chunkTable(collection.id)} c
       where c.document_id = n.document_id and c.ordinal <> n.ordinal
         and c.ordinal between n.ordinal - ${bind(before, 'int')} and n.ordinal + ${bind(after, 'int')}
     ) around on true`;
}

/** A statement whose rows are hits, in that order, of a subquery of chunks with their `distance`. */
export function hitsOf(
  collection: SearchedCollection,
  query: Pick<ChunkQuery, 'context' | 'offset'> & { ranked: string; order: string; columns?: string },
  parameters: Parameters,
): string {
  const { ranked, order, columns = '', context, offset = 0 } = query;
  const around = context ? ` ${neighboursOf(collection, context, parameters)}` : '';
  return `select n.id, n.ordinal, n.text, n.page, n.heading_path as "headingPath", n.char_start as "charStart",
       n.char_end as "charEnd", n.distance, ${columns}n.metadata, d.id as "documentId", d.external_id as "externalId",
       d.name as "documentName", d.title as "documentTitle"${context ? ', around.neighbours' : ''}
     from (${ranked}) n join sluice.documents d on d.id = n.document_id${around}
     order by ${order}${offset > 0 ? ` offset ${parameters.bind(offset, 'int')}` : ''}`;
}

interface Statement {
  text: string;
  values: unknown[];
  settings: Record<string, string> | undefined;
}

/** The statement of a search, put together from what was asked for. Throws `wrong_vector_length`. */
function statementOf(collection: SearchedCollection, query: ChunkQuery): Statement {
  const parameters = createParameters();
  const { perDocument } = query;
  const ranked = perDocument
    ? nearestPerDocument(collection, { ...query, perDocument }, parameters)
    : nearestChunks(collection, query, parameters);
  const text = hitsOf(collection, { ...query, ranked, order: 'n.distance, n.id' }, parameters);
  return { text, values: parameters.values, settings: effortSettings(query) };
}

export async function runStatement<Hit>(
  db: Queryable,
  { position }: Pick<Collection, 'position'>,
  { text, values, settings }: Statement,
): Promise<Hit[]> {
  const { rows } = await db.query<Hit & Record<string, unknown>>(text, values, {
    prepare: values.length <= maxPrepared,
    settings,
    // On a standby, what the collection's generation promises has to be there already.
    after: position ?? 'primary',
  });
  return rows;
}

/**
 * The nearest chunks, nearest first, in one round trip. The iterative scan, which goes on where a filter has left too few,
 * is a setting of the connection. Throws `wrong_vector_length`.
 */
export async function searchChunks(
  db: Queryable,
  collection: SearchedCollection & Pick<Collection, 'position'>,
  query: ChunkQuery,
): Promise<ChunkHit[]> {
  return runStatement<ChunkHit>(db, collection, statementOf(collection, query));
}

/** How the server would run this search: lines of its plan, without the vector. Nothing is run. */
export async function explainSearch(
  db: Queryable,
  collection: SearchedCollection,
  query: ChunkQuery,
): Promise<string[]> {
  return explainStatement(db, statementOf(collection, query));
}

export async function explainStatement(
  db: Queryable,
  { text, values, settings }: Statement,
): Promise<string[]> {
  const { rows } = await db.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values, { settings });
  return rows.map((row) => row['QUERY PLAN'].replace(/'\[[^\]]*\]'::(half)?vec(tor)?(\(\d+\))?/g, '$vector'));
}
