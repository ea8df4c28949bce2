import { expect, test } from 'vitest';
import { type WorkStatus, workHealth } from '../src/work-health.ts';

const limits = { stuckMs: 60_000 };
const at = (seconds: number) => new Date(Date.UTC(2030, 0, 1) + seconds * 1_000);
const running: WorkStatus = { state: 'running', since: at(0), progressAt: null, jobs: [] };
const job = (jobId: string, seconds: number) => ({ jobId, startedAt: at(0), progressAt: at(seconds) });

test('a worker is stuck when none of its jobs has moved on for longer than the limit, and it names them', () => {
  const jobs = [job('a', 30), job('b', 10)];
  const status = { ...running, progressAt: at(30), jobs };
  expect(workHealth(status, at(90), limits)).toMatchObject({ healthy: true });
  expect(workHealth(status, at(91), limits)).toEqual({
    healthy: false,
    detail: `none of 2 jobs moves on: b since ${at(10).toISOString()}, a since ${at(30).toISOString()}`,
  });
});

test('one job that gets on is enough, and so is one that has just ended', () => {
  const status = { ...running, progressAt: at(80), jobs: [job('a', 10)] };
  expect(workHealth(status, at(100), limits).healthy).toBe(true);
});

test('an idle worker is healthy for ever while no job waits', () => {
  expect(workHealth(running, at(100_000), limits).healthy).toBe(true);
  expect(workHealth({ ...running, progressAt: at(1), waitingSince: null }, at(100_000), limits).healthy).toBe(
    true,
  );
});

test('an idle worker is not healthy when jobs wait and it takes none', () => {
  const status = { ...running, progressAt: at(10), waitingSince: at(20) };
  expect(workHealth(status, at(80), limits).healthy).toBe(true);
  expect(workHealth(status, at(81), limits)).toEqual({
    healthy: false,
    detail: `jobs wait in the queue and none was taken since ${at(20).toISOString()}`,
  });
  expect(workHealth({ ...status, progressAt: at(70) }, at(81), limits).healthy).toBe(true);
});

test.each(['idle', 'paused', 'draining', 'closed'] as const)('a worker that is %s is not stuck', (state) => {
  const status = { ...running, state, progressAt: at(0), jobs: [job('a', 0)], waitingSince: at(0) };
  expect(workHealth(status, at(100_000), limits).healthy).toBe(true);
});

test('after a pause its jobs have their time again', () => {
  const status = { ...running, since: at(500), progressAt: at(0), jobs: [job('a', 0)] };
  expect(workHealth(status, at(560), limits).healthy).toBe(true);
  expect(workHealth(status, at(561), limits).healthy).toBe(false);
});
