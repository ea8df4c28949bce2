import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { createClient, problemOf } from './support/client.ts';
import { watchDatabase } from './support/held-chunks.ts';
import { startSluice } from './support/running-service.ts';

describeWithServices('postgres', 'more queries than the database answers', () => {
  test('are refused with 503 overloaded and Retry-After, all of them, and answered when it does', {
    timeout: 60_000,
  }, async () => {
    await using sluice = await startSluice('postgres-only', { DB_POOL_SIZE: '4', DB_MAX_OVERFLOW: '0' });
    await using onlooker = watchDatabase(sluice.environment.DATABASE_URL as string);
    const client = createClient(sluice.url);
    await client.upload('fox.txt', 'The quick brown fox jumps.');
    const ask = (query: string) =>
      fetch(`${sluice.url}/v1/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, k: 1 }),
      });
    {
      await using _ = await onlooker.holdChunks();
      const startedAt = performance.now();
      const answers = Array.from({ length: 300 }, (_value, i) => ask(`fox ${i}`));
      const refused: number[] = [];
      const asked = answers.map(async (answer, i) => {
        const response = await answer;
        if (response.status === 200) return i;
        const problem = await problemOf(response);
        expect([problem.code, problem.status]).toEqual(['overloaded', 503]);
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
        expect(problem.detail).toMatch(/again after \d+ s/);
        refused.push(i);
        return i;
      });
      // Those that run hold what connections there are; the line behind them is sent away long before their time is over.
      await expect.poll(() => refused.length, { timeout: 10_000 }).toBeGreaterThan(290);
      expect(performance.now() - startedAt).toBeLessThan(8_000);
      expect((await fetch(`${sluice.url}/readyz`)).status).toBe(200);
      await _[Symbol.asyncDispose]();
      await Promise.all(asked);
    }
    expect((await client.query({ query: 'fox 299', k: 1 })).results).toHaveLength(1);
  });
});
