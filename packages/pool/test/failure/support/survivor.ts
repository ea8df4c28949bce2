/**
 * A process with a pool in it that does what an application does, and handles the errors of its own promises and nothing
 * else. It says `ready`, reports every answer it gets, and ends by itself when its input does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from '../../../src/index.ts';

const pool = createPool({
  connectionString: process.argv[2] as string,
  applicationName: 'survivor',
  size: 6,
  maxOverflow: 2,
  minIdle: 2,
  connectTimeoutMs: 500,
  pingTimeoutMs: 300,
  cancelTimeoutMs: 300,
  stallProbeMs: 500,
  prePingIdleMs: 50,
});
let over = false;
process.stdin.once('end', () => {
  over = true;
});
process.stdin.resume();

function* rows() {
  for (let n = 0; n < 20_000; n += 1) yield [Buffer.from([0, 0, n >> 8, n & 255])];
}
const target = { table: 'survived', columns: [{ name: 'n', type: 'int4' }] };

const works: (() => Promise<unknown>)[] = [
  () => pool.query('select 1', [], { prepare: true }),
  () =>
    pool.query('select pg_sleep(0.02)', [], { signal: AbortSignal.timeout(Math.floor(Math.random() * 100)) }),
  () => pool.transaction('bulk', (transaction) => transaction.query('insert into survived values (1)')),
  () => pool.copyFrom('bulk', target, rows()),
  () =>
    pool.session('bulk', async (lease) => {
      await lease.query('begin');
      await sleep(20);
    }),
  () => pool.testConnection(),
];
const answers = works.map(() => 0);

async function use(work: () => Promise<unknown>, i: number): Promise<void> {
  while (!over) {
    try {
      await work();
      answers[i] = (answers[i] as number) + 1;
    } catch {
      await sleep(10);
    }
  }
}

/** On a busy machine the first connects are late as well, which is no crash of the pool's. */
async function begin(): Promise<void> {
  for (;;) {
    try {
      await pool.query('create table if not exists survived (n int)');
      return;
    } catch {
      await sleep(50);
    }
  }
}

const listener = pool.listen('news', () => {});
await begin();
const report = setInterval(() => process.stdout.write(`${JSON.stringify(answers)}\n`), 50);
process.stdout.write('ready\n');
// Two users each, but one of the control lane, which has to have a place left for probes.
await Promise.all([...works, ...works.slice(0, -1)].map((work, i) => use(work, i % works.length)));
clearInterval(report);
await listener.close();
await pool.drain(2_000);
process.stdout.write('done\n');
