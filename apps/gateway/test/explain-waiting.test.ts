import { expect, test } from 'vitest';
import { explainWaiting } from '../src/explain-waiting.ts';

const now = Date.parse('2026-01-01T00:01:00Z');
const fresh = { createdAt: new Date(now - 1_000), error: null, attempts: 0 };
const old = { ...fresh, createdAt: new Date(now - 60_000) };
const problem = { code: 'rate_limited', message: 'later', stage: 'embedding', retryable: true } as const;

const worker = { state: 'running', concurrency: 4, healthy: true, detail: null } as const;
const paused = { ...worker, state: 'paused' } as const;
const stuck = { ...worker, healthy: false, detail: 'no progress for 9 min' };

test.each([
  ['next', fresh, { ahead: 0, underWay: 0 }, [worker], /in a moment/],
  ['next', fresh, { ahead: 0, underWay: 0 }, [], /in a moment/],
  ['no_worker', old, { ahead: 3, underWay: 0 }, [], /sluice worker/],
  ['no_worker', old, { ahead: 3, underWay: 2 }, [], /sluice worker/],
  [
    'workers_busy',
    old,
    { ahead: 12, underWay: 4 },
    [worker],
    /^4 are .* by 1 worker with 4 places, and 12 wait/,
  ],
  ['workers_busy', fresh, { ahead: 10_000, underWay: 4 }, [worker, worker], /10000 or more wait/],
  ['not_taken', old, { ahead: 0, underWay: 1 }, [worker], /compare their REDIS_URL/],
  ['workers_paused', fresh, { ahead: 0, underWay: 4 }, [paused], /all wait for connections/],
  ['workers_busy', old, { ahead: 1, underWay: 8 }, [paused, worker], /2 workers with 8 places/],
  ['workers_stuck', old, { ahead: 0, underWay: 4 }, [stuck], /no progress for 9 min/],
  [
    'between_attempts',
    { ...old, error: problem, attempts: 2 },
    { ahead: 0, underWay: 1 },
    [],
    /2 attempts .*rate_limited/,
  ],
] as const)(
  'a waiting upload says why (langgenius/dify#28513): %s',
  (reason, upload, place, workers, detail) => {
    const waiting = explainWaiting(upload, place, workers, now);
    expect(waiting).toMatchObject({ reason, ahead: place.ahead });
    expect(waiting.detail).toMatch(detail);
  },
);
