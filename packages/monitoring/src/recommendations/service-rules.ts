import { advise, plural, type Rule, rounded } from './evidence.ts';

const leastBlocks = 100_000;
const lowHitPercent = 95;
const leastLookups = 1_000;
const lowAnswerPercent = 20;
const soundPgvector = [0, 8, 4] as const;
const waitsLongSeconds = 15;

export const cacheHitRateLow: Rule = ({ server, settings }) => {
  const { blocksHit, blocksRead } = server;
  const blocks = blocksHit + blocksRead;
  const percent = (100 * blocksHit) / blocks;
  if (settings.embedded || blocks < leastBlocks || percent >= lowHitPercent) return [];
  return [
    advise({
      id: 'cache_hit_rate_low',
      severity: 'warning',
      summary:
        'Postgres reads many of its blocks from outside its own memory. A quarter of the machine is usual for shared_buffers.',
      evidence: {
        hit_percent: rounded(percent),
        blocks_read: blocksRead,
        blocks_hit: blocksHit,
        shared_buffers_bytes: server.sharedBuffersBytes,
      },
      setting: 'shared_buffers',
    }),
  ];
};

/** Only where entries had to make room: otherwise nobody asks twice, and a larger cache changes nothing. */
export const answerCacheHitRateLow: Rule = ({ cache }) => {
  const { memory } = cache;
  if (!memory?.evictions) return [];
  const counts = Object.values(memory.kinds);
  const hits = counts.reduce((sum, kind) => sum + kind.hits, 0);
  const lookups = counts.reduce((sum, kind) => sum + kind.hits + kind.misses + kind.busy, 0);
  const percent = (100 * hits) / lookups;
  if (lookups < leastLookups || percent >= lowAnswerPercent) return [];
  return [
    advise({
      id: 'answer_cache_hit_rate_low',
      severity: 'info',
      summary:
        'Answers are pushed out of the cache in process before they are asked for again: it is too small for what is asked.',
      evidence: {
        hit_percent: rounded(percent),
        lookups,
        evictions: memory.evictions,
        entries: memory.entries ?? null,
        bytes: memory.bytes ?? null,
      },
      setting: 'CACHE_MEMORY_MB, CACHE_MEMORY_ENTRIES',
    }),
  ];
};

function isOlder(version: string, than: readonly number[]): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (const [i, wanted] of than.entries()) {
    const part = parts[i] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

export const pgvectorOld: Rule = ({ facts, server }) => {
  const { pgvector } = facts;
  if (pgvector === null) return [];
  const { pgvectorAvailable: available } = server;
  const updatable = available !== null && isOlder(pgvector, available.split('.').map(Number));
  const unsound = isOlder(pgvector, soundPgvector);
  if (!updatable && !unsound) return [];
  return [
    advise({
      id: 'pgvector_old',
      severity: unsound ? 'warning' : 'info',
      summary: unsound
        ? `pgvector ${pgvector} has faults that 0.8.4 mended: an overflow in parallel builds, possible corruption of indexes by vacuum.`
        : `The server has pgvector ${available}, and this database still uses ${pgvector}.`,
      evidence: { installed: pgvector, available, least: soundPgvector.join('.') },
      setting: updatable ? null : 'the package or image of the Postgres server',
      command: 'alter extension vector update',
    }),
  ];
};

export const queueMayEvict: Rule = ({ evictionPolicy }) =>
  evictionPolicy === undefined || evictionPolicy === 'noeviction'
    ? []
    : [
        advise({
          id: 'queue_may_evict',
          severity: 'critical',
          summary:
            'The Redis of the queue drops keys when its memory is short. Jobs that vanish are made again from Postgres, but late, and half a job confuses the queue.',
          evidence: { maxmemory_policy: evictionPolicy },
          setting: 'maxmemory-policy',
          command: 'redis-cli config set maxmemory-policy noeviction',
        }),
      ];

export const noWorker: Rule = ({ processes, uploads, settings }) => {
  const workers = processes.filter(({ role }) => role === 'worker').length;
  if (workers > 0 || uploads.queued === 0 || uploads.oldestAgeSeconds < waitsLongSeconds) return [];
  return [
    advise({
      id: 'no_worker',
      severity: 'critical',
      summary: settings.embedded
        ? `Uploads wait (${uploads.queued}) and no worker was seen. "sluice up" starts one and restarts it when it ends: see what it has printed.`
        : `Uploads wait (${uploads.queued}) and no worker was seen: start one, with the same DATABASE_URL and REDIS_URL.`,
      evidence: {
        workers,
        queued: uploads.queued,
        oldest_age_seconds: rounded(uploads.oldestAgeSeconds),
      },
      command: settings.embedded ? 'sluice up' : 'sluice worker',
    }),
  ];
};

export const workerStuck: Rule = ({ processes }) =>
  processes.flatMap(({ report, host, pid, role }) =>
    report.work && !report.work.healthy
      ? [
          advise({
            id: 'worker_stuck',
            severity: 'critical',
            subject: `${role} ${host}:${pid}`,
            summary: `It has jobs of which none moves on (${report.work.detail ?? 'no reason known'}). Restart it: its jobs go to another one.`,
            evidence: {
              active: report.work.active,
              progress_at: report.work.progressAt,
              state: report.work.state,
            },
            command: `kill ${pid}`,
          }),
        ]
      : [],
  );

export const uploadsFailed: Rule = ({ uploads, failures }) => {
  const [worst] = failures;
  if (uploads.failed === 0 || !worst) return [];
  const retryable = failures.filter((failure) => failure.retryable);
  const again = retryable.reduce((sum, failure) => sum + failure.uploads, 0);
  return [
    advise({
      id: 'uploads_failed',
      severity: 'info',
      summary:
        again > 0
          ? `${plural(uploads.failed, 'upload')} failed, most with ${worst.code}. For ${again} the cause may have passed: put them back in line.`
          : `${plural(uploads.failed, 'upload')} failed, most with ${worst.code}, and would fail again until the documents or the settings are others.`,
      evidence: {
        failed: uploads.failed,
        ...Object.fromEntries(failures.map(({ code, uploads: count }) => [`code ${code}`, count])),
      },
      command: again > 0 ? 'POST /v1/uploads/retry {"retryable": true}' : null,
    }),
  ];
};
