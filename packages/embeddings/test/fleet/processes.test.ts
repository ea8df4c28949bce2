import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestRedis, describeWithServices, startEmbeddingsServer } from '@sluice/testing';
import { expect, onTestFinished, test } from 'vitest';
import { expectWithinLimits } from '../support/observed-turns.ts';

const script = new URL('./support/member.ts', import.meta.url).pathname;
const limits = { requestsPerMinute: 20, tokensPerMinute: 200, windowMs: 2_000 };

function startMember(settings: { id: string } & Record<string, unknown>): ChildProcess {
  const child = spawn(process.execPath, [script, JSON.stringify({ ...settings, limits })], {
    stdio: 'inherit',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

describeWithServices('redis', 'several processes with one limit', () => {
  test('never send more together than the limit, share it fairly, and go on when one is killed', async () => {
    await using redis = await createTestRedis();
    await using server = await startEmbeddingsServer({ dimensions: 8 });
    const sentBy = (id: string) => server.requests.filter(({ texts }) => texts[0]?.startsWith(id)).length;
    const address = { redisUrl: redis.url, baseUrl: server.baseUrl };
    const greedy = ['a', 'b', 'doomed'].map((id) => startMember({ ...address, id, callers: 1_000 }));
    const modest = startMember({ ...address, id: 'modest', callers: 1 });
    for (const id of ['a', 'b', 'doomed', 'modest']) {
      await expect.poll(() => sentBy(id), { timeout: 60_000 }).toBeGreaterThan(0);
    }

    const before = new Map(['a', 'b', 'modest'].map((id) => [id, sentBy(id)]));
    greedy[2]?.kill('SIGKILL');
    await sleep(8_000);
    const since = (id: string) => sentBy(id) - (before.get(id) ?? 0);
    for (const child of [...greedy, modest]) child.kill('SIGKILL');
    await Promise.all(
      [...greedy, modest].map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')),
    );

    const turns = server.requests.map(({ texts, receivedAt }, index) => {
      return { index, from: Number(texts[0]?.split(' ')[1]), at: receivedAt, tokens: 10 };
    });
    expectWithinLimits(turns, limits);
    // Four windows' worth; the place of the one that was killed stays taken for two seconds.
    expect(since('a') + since('b') + since('modest')).toBeGreaterThanOrEqual(40);
    // A third of the limit each, if turns go round.
    expect(since('modest')).toBeGreaterThanOrEqual(10);
  }, 150_000);
});
