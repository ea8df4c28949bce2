import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices } from '@sluice/testing';
import { runWorker } from '@sluice/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from './support/client.ts';
import { watchDatabase } from './support/held-chunks.ts';
import { type LoggedProcess, startLogged } from './support/logged-process.ts';
import { startServices, untilReady } from './support/running-service.ts';

const slowMs = 400;
const words = 'Zwiebelfisch';

describeWithServices(['postgres', 'redis'], 'the log of slow statements', () => {
  const stack = new AsyncDisposableStack();
  let gateway: LoggedProcess;
  let databaseUrl: string;

  const slow = () => gateway.lines().filter(({ msg }) => msg === 'slow statement');

  /** A search that has to wait for somebody else. */
  async function searchSlowly(body: Record<string, unknown>): Promise<void> {
    await using onlooker = watchDatabase(databaseUrl);
    const answer = (async () => {
      await using _ = await onlooker.holdChunks();
      const asked = createClient(gateway.started.url).query(body);
      await expect.poll(() => onlooker.held(), { timeout: 10_000 }).toBeGreaterThan(0);
      await sleep(2 * slowMs);
      return { asked };
    })();
    await (await answer).asked;
  }

  beforeAll(async () => {
    const services = stack.use(await startServices('services'));
    databaseUrl = services.environment.DATABASE_URL as string;
    const worker = await runWorker(services.environment);
    stack.defer(() => worker.stop());
    const environment = { ...services.environment, LOG_LEVEL: 'info', SLOW_QUERY_MS: String(slowMs) };
    gateway = stack.use(await startLogged('gateway', environment));
    await untilReady(gateway.started.url);
    await createClient(gateway.started.url).upload('fox.txt', 'The quick brown fox.');
  }, 60_000);
  afterAll(() => stack.disposeAsync());

  test('has the statement without its values, its lane, its duration, its rows and its plan', async () => {
    await searchSlowly({ query: 'fox', filter: { owner: words } });
    await expect.poll(slow).toMatchObject([
      {
        level: 40,
        lane: 'interactive',
        statement: expect.stringMatching(/\$1/),
        duration_ms: expect.any(Number),
        rows: expect.any(Number),
        plan: expect.arrayContaining([expect.stringMatching(/Scan/)]),
      },
    ]);
    expect(slow()[0]?.duration_ms).toBeGreaterThanOrEqual(slowMs);
    expect(gateway.output()).not.toContain(words);
  });

  test('has no second plan of the same statement within a minute', async () => {
    await searchSlowly({ query: 'another fox', filter: { owner: 'nobody' } });
    await expect.poll(() => slow().length).toBe(2);
    const [first, second] = slow();
    expect(second?.statement).toBe(first?.statement);
    expect(second).not.toHaveProperty('plan');
  });
});
