// One process of a fleet: a pool of 20 + 30 under a budget, with more callers than it will ever have connections.
// Prints a line of JSON five times a second, until SIGTERM.
import { Redis } from 'ioredis';
import { createPool, createServerBudget, sqlState } from '../../../src/index.ts';

const { connectionString, redisUrl } = JSON.parse(process.argv[2] as string) as {
  connectionString: string;
  redisUrl?: string;
};
const redis = redisUrl ? new Redis(redisUrl, { commandTimeout: 1_000, maxRetriesPerRequest: 1 }) : undefined;
redis?.on('error', () => {});
const budget = createServerBudget({
  connectionString,
  store: redis ? { redis } : { schema: 'fleet' },
  floor: redis ? 2 : 3,
  cap: 52,
});
let refusals = 0;
let done = 0;
let stopping = false;
const failures: string[] = [];
const pool = createPool({
  connectionString,
  size: 20,
  maxOverflow: 30,
  overflowDelayMs: 1,
  acquireTimeoutMs: 60_000,
  lanes: { only: { guaranteed: 0, priority: 1 } },
  budget,
  dedicated: budget.dedicated,
  onEvent(event) {
    if (event.type === 'connect_failed' && sqlState(event.error) === '53300') refusals += 1;
  },
});
pool.listen('fleet_news', () => {});

async function call(): Promise<void> {
  while (!stopping) {
    try {
      await pool.query('select pg_sleep(0.05)');
      done += 1;
    } catch (error) {
      if (!stopping) failures.push(String(error));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
await pool.ready();
const callers = Array.from({ length: 60 }, call);

const report = setInterval(() => {
  const { checked_in, checked_out, opening, closing, listening } = pool.status();
  const held = checked_in + checked_out + opening + closing + listening + budget.dedicated;
  const { share, members } = budget.status();
  process.stdout.write(
    `${JSON.stringify({ share, members, held, done, refusals, failures: failures.slice(-3) })}\n`,
  );
}, 200);

process.on('SIGTERM', async () => {
  stopping = true;
  clearInterval(report);
  await pool.drain();
  await Promise.all(callers);
  redis?.disconnect();
});
