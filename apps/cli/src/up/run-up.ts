import { constants } from 'node:os';
import { type Environment, loadConfig } from '@sluice/config';
import { type Database, openDatabase } from '../database.ts';
import { CliError } from '../errors.ts';
import { reportError } from '../report-error.ts';
import { runMigrations } from '../run-migrations.ts';
import { note } from '../terminal.ts';
import { reachable, showBanner } from './banner.ts';
import { startService } from './child-process.ts';
import { ensureConsolePage } from './console-page.ts';
import { untilReady } from './readiness.ts';
import { type Supervised, supervise } from './supervisor.ts';

const readyTimeoutMs = 60_000;
const sameSignalMs = 1_000;

interface Running {
  database: Database | undefined;
  services: Supervised[];
}

function embeddedLost({ embedded }: Database): Promise<never> {
  if (!embedded) return new Promise(() => {});
  return embedded.exited.then(() => {
    throw new CliError('service_failed', 'the embedded Postgres ended unexpectedly', {
      advice: ['Its data is safe up to the last answer that was given; start again.'],
    });
  });
}

/** Each worker listens on a port of its own, from `WORKER_PORT` on; on none without one, and 0 is free for all. */
function portOf(worker: number, first: number | undefined): string | undefined {
  return first ? String(first + worker - 1) : first?.toString();
}

/** Brings everything up; then resolves only by throwing what went wrong with a process that was running. */
async function serve(
  environment: Environment,
  workers: number,
  running: Running,
  signal: AbortSignal,
): Promise<void> {
  const { databaseUrl, dataDir } = loadConfig(environment);
  note(
    databaseUrl ? 'Starting with the services given ...' : `Starting the embedded Postgres in ${dataDir} ...`,
  );
  const page = ensureConsolePage(signal);
  const database = await openDatabase(environment);
  running.database = database;
  signal.throwIfAborted();
  const lost = embeddedLost(database);
  lost.catch(() => {});
  await Promise.race([runMigrations(database.config), lost]);
  await page;
  signal.throwIfAborted();

  const gateway = supervise('gateway', (url) =>
    startService('gateway', { ...database.environment, ...(url && { PORT: new URL(url).port }) }),
  );
  running.services.push(gateway);
  for (let number = 1; number <= workers; number += 1) {
    const name = workers > 1 ? `worker ${number}` : 'worker';
    const environment = { ...database.environment, WORKER_PORT: portOf(number, database.config.worker.port) };
    running.services.push(supervise(name, () => startService('worker', environment)));
  }
  const started = Promise.all(running.services.map((service) => service.started));
  await Promise.race([started, lost]);
  const url = reachable((await gateway.started) as string);
  const troubles = Promise.race([lost, ...running.services.map((service) => service.givenUp)]);
  troubles.catch(() => {});
  await Promise.race([untilReady(url, readyTimeoutMs, signal), troubles]);
  showBanner(url, { needsKey: database.config.http.apiKeys.length > 0 || !database.config.http.local });
  await troubles;
}

/** Those that use the database first, all at once; the database last. */
async function stopAll({ services, database }: Running, deadlineMs: number): Promise<void> {
  await Promise.all(services.map((service) => service.stop(deadlineMs)));
  await database?.embedded?.stop();
}

/** Runs everything until a signal. Resolves with the exit code, when everything has stopped. Throws what could not start. */
export async function runUp(environment: Environment, { workers }: { workers: number }): Promise<number> {
  const { shutdownTimeoutMs } = loadConfig(environment);
  const running: Running = { database: undefined, services: [] };
  const interrupt = new AbortController();
  const asked = Promise.withResolvers<void>();
  let askedAt = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (interrupt.signal.aborted) {
        // One to the whole process group arrives here more than once: by itself, and passed on by whoever has started us.
        if (performance.now() - askedAt < sameSignalMs) return;
        // Whoever asks twice does not want to wait. The others end by themselves when this process is gone.
        process.exit(128 + constants.signals[name]);
      }
      askedAt = performance.now();
      interrupt.abort();
      note('\nStopping ... (once more to stop at once)');
      asked.resolve();
    });
  }

  const serving = serve(environment, workers, running, interrupt.signal);
  try {
    await Promise.race([serving, asked.promise]);
    return 0;
  } catch (error) {
    if (interrupt.signal.aborted) return 0;
    return reportError(error);
  } finally {
    // In the middle of a start: what is being opened is known, and can be closed, only when it is open.
    if (interrupt.signal.aborted && !running.database) await serving.catch(() => {});
    serving.catch(() => {});
    await stopAll(running, shutdownTimeoutMs);
    if (interrupt.signal.aborted) note('Stopped.');
  }
}
