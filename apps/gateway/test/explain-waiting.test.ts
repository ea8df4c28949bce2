import { expect, test } from 'vitest';
import { explainWaiting } from '../src/explain-waiting.ts';

const now = Date.parse('2026-01-01T00:01:00Z');
const fresh = { createdAt: new Date(now - 1_000), error: null, attempts: 0 };
const old = { ...fresh, createdAt: new Date(now - 60_000) };
const problem = { code: 'rate_limited', message: 'later', stage: 'embedding', retryable: true } as const;

test.each([
  ['next', fresh, { ahead: 0, underWay: 0 }, /in a moment/],
  ['no_worker', old, { ahead: 3, underWay: 0 }, /sluice worker/],
  ['workers_busy', old, { ahead: 12, underWay: 4 }, /^4 are being worked on and 12 wait/],
  ['workers_busy', fresh, { ahead: 10_000, underWay: 4 }, /10000 or more wait/],
  [
    'between_attempts',
    { ...old, error: problem, attempts: 2 },
    { ahead: 0, underWay: 1 },
    /2 attempts .*rate_limited/,
  ],
] as const)('a waiting upload says why (langgenius/dify#28513): %s', (reason, upload, place, detail) => {
  const waiting = explainWaiting(upload, place, now);
  expect(waiting).toMatchObject({ reason, ahead: place.ahead });
  expect(waiting.detail).toMatch(detail);
});
