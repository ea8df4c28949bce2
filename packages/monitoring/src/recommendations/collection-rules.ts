import type { CollectionFigures } from '@sluice/store';
import { advise, type Evidence, mebibytes, type Recommendation, type Rule, rounded } from './evidence.ts';

const largeChunks = 100_000;
// Of pgvector's graph with 16 edges, measured: 100 000 vectors of 384 dimensions take 250 MiB.
const edgesBytes = 1_100;
// Below it a table is vacuumed and its pages are read sooner than anybody notices.
const worthwhileDeadRows = 10_000;
const deadPercent = 20;
const unusedBytes = 1_048_576;
const enoughScans = 1_000;

const hnswOf = ({ indexes }: CollectionFigures) => indexes.find(({ method }) => method === 'hnsw');

/** Memory that building the collection's vector index takes, in bytes. */
export function indexMemoryOf({ chunks, dimensions, storage }: CollectionFigures): number {
  return chunks * (dimensions * (storage === 'vector' ? 4 : 2) + edgesBytes);
}

export const collectionWithoutIndex: Rule = ({ collections, settings }) =>
  collections
    .filter((collection) => collection.chunks > largeChunks && !hnswOf(collection))
    .map((collection) => {
      const { name, chunks, vectorIndex, building, uploadsPending } = collection;
      const evidence = { chunks, vector_index: vectorIndex, building, uploads_pending: uploadsPending };
      const about = { id: 'collection_without_index', subject: name, evidence } as const;
      if (settings.embedded) {
        return advise({
          ...about,
          severity: 'warning',
          summary: `Every search compares all ${chunks} vectors. The embedded Postgres has no vector index: move to a Postgres of your own.`,
          setting: 'DATABASE_URL',
        });
      }
      return advise({
        ...about,
        severity: building ? 'info' : 'warning',
        summary: building
          ? `Every search compares all ${chunks} vectors until the index is there, which is being built.`
          : `Every search compares all ${chunks} vectors. A worker builds the index when no upload of the collection waits, or from VECTOR_INDEX_MAX_DEFERRED_CHUNKS on: see that one runs, and what its log says.`,
        setting: 'VECTOR_INDEX_MAX_DEFERRED_CHUNKS',
      });
    });

export const indexBuildFailed: Rule = ({ collections }) =>
  collections.flatMap(({ name, lastIndexBuild: build }) =>
    build?.error
      ? [
          advise({
            id: 'index_build_failed',
            severity: 'warning',
            subject: name,
            summary: `The last build of its vector index failed (${build.error}); searches go on without it, and a worker tries again.`,
            evidence: {
              at: build.at,
              error: build.error,
              chunks: build.chunks,
              memory_mb: build.memory_mb,
              helpers: build.helpers,
            },
            setting: 'VECTOR_INDEX_MEMORY_MB',
          }),
        ]
      : [],
  );

export const sharedMemorySmall: Rule = ({ collections }) =>
  collections.flatMap(({ name, lastIndexBuild: build }) =>
    build?.shared_memory_short
      ? [
          advise({
            id: 'shared_memory_small',
            severity: 'warning',
            subject: name,
            summary:
              'Its vector index was built without helpers, since the server had not enough shared memory (/dev/shm) for them: give its container as much as a build may use.',
            evidence: { at: build.at, needed_mb: build.memory_mb, duration_ms: build.duration_ms },
            setting: 'shm_size of the Postgres container, or VECTOR_INDEX_PARALLEL_WORKERS=0',
          }),
        ]
      : [],
  );

/** Of the next build: the first one, one that makes it denser, or a reindex. */
export const indexMemorySmall: Rule = ({ collections, settings }) =>
  collections
    .filter((collection) => collection.vectorIndex !== 'none' && collection.chunks > 0)
    .map((collection) => ({ collection, needed: indexMemoryOf(collection) }))
    .filter(({ needed }) => needed > settings.indexMemoryMb * 1_048_576)
    .map(({ collection, needed }) =>
      advise({
        id: 'index_memory_small',
        severity: hnswOf(collection) ? 'info' : 'warning',
        subject: collection.name,
        summary: `Building its vector index takes about ${mebibytes(needed)}, and has ${settings.indexMemoryMb} MiB: what does not fit is built many times more slowly. In containers /dev/shm has to be as large.`,
        evidence: {
          estimated_bytes: needed,
          allowed_bytes: settings.indexMemoryMb * 1_048_576,
          chunks: collection.chunks,
          dimensions: collection.dimensions,
        },
        setting: 'VECTOR_INDEX_MEMORY_MB',
      }),
    );

/** An index that no search has used, although the collection is searched, costs every insert and room in memory. */
export const indexUnused: Rule = ({ collections, settings }) =>
  settings.embedded ? [] : collections.flatMap(unusedOf);

function unusedOf({ name: collection, indexes }: CollectionFigures): Recommendation[] {
  const searches = Math.max(0, ...indexes.map(({ scans }) => scans));
  if (searches < enoughScans) return [];
  return indexes.flatMap(({ name, method, bytes, scans, setting }) =>
    setting === null || scans > 0 || bytes < unusedBytes
      ? []
      : [
          advise({
            id: 'index_unused',
            severity: 'info',
            subject: `${collection}: ${name}`,
            summary: `The index ${name} was never used, while others of the collection were ${searches} times. Each insert keeps it up to date: if nobody will need it, do without it.`,
            evidence: { scans, searches, bytes, method },
            setting: `${setting} of the collection`,
            command: `PATCH /v1/collections/${collection}`,
          }),
        ],
  );
}

export const deadRows: Rule = ({ collections, settings }) =>
  settings.embedded
    ? []
    : collections
        .filter(({ deadRows: dead, liveRows: live }) => {
          return dead >= worthwhileDeadRows && (100 * dead) / (dead + live) > deadPercent;
        })
        .map(({ id, name, deadRows: dead, liveRows: live }) =>
          advise({
            id: 'dead_rows',
            severity: 'warning',
            subject: name,
            summary:
              'Many of its rows are dead: searches read past them, and the vector index keeps them until it is vacuumed. See whether autovacuum keeps up, or whether a long transaction or a replication slot holds it back.',
            evidence: {
              dead_rows: dead,
              live_rows: live,
              dead_percent: rounded((100 * dead) / (dead + live)),
            },
            setting: 'autovacuum_vacuum_scale_factor, autovacuum_vacuum_cost_limit',
            command: `vacuum (analyze) sluice.chunks_${id}`,
          }),
        );

/** Searches walk the graph in all directions: where it does not stay in memory, each step may be a read. */
export const sharedBuffersSmall: Rule = ({ collections, server, settings }: Evidence) => {
  if (settings.embedded) return [];
  const bytes = collections.reduce((sum, collection) => sum + (hnswOf(collection)?.bytes ?? 0), 0);
  if (bytes <= server.sharedBuffersBytes) return [];
  return [
    advise({
      id: 'shared_buffers_small',
      severity: 'warning',
      summary: `The vector indexes (${mebibytes(bytes)}) are larger than shared_buffers (${mebibytes(server.sharedBuffersBytes)}), so searches wait for reads. Give Postgres more, or store halfvec.`,
      evidence: { vector_index_bytes: bytes, shared_buffers_bytes: server.sharedBuffersBytes },
      setting: 'shared_buffers',
    }),
  ];
};
