import { constants } from 'node:os';
import { ConfigError, loadConfig } from '@sluice/config';
import { CliError } from './errors.ts';
import { reportError } from './report-error.ts';
import { tellParent } from './service-messages.ts';

export interface Service {
  url?: string | undefined;
  stopped: Promise<void>;
  stop(): Promise<void>;
}

// With its parent, a service has lost the database or soon will; what it cannot finish by then another run picks up.
const orphanDeadlineMs = 5_000;

function startFailure(error: unknown): unknown {
  const { code, port } = (error ?? {}) as { code?: string; port?: number };
  if (code !== 'EADDRINUSE') return error;
  return new CliError('port_taken', `port ${port} is already taken by another program`, {
    cause: error,
    advice: [
      'Set PORT to another one (PORT=3001 npm start; of workers WORKER_PORT), or stop the program that has it.',
    ],
  });
}

async function reportStartFailure(error: unknown): Promise<number> {
  const failure = startFailure(error);
  const foreseen = failure instanceof CliError || failure instanceof ConfigError;
  if (!process.connected || !foreseen) return reportError(failure);
  const advice = failure instanceof CliError ? failure.advice : [];
  await tellParent({ type: 'failed', message: failure.message, advice });
  return 1;
}

/**
 * Runs one service in this process until SIGINT, SIGTERM, SIGHUP or the end of the parent stops it. A second signal ends it at
 * once, as does the deadline of the shutdown. Never returns: the process ends here.
 */
export async function runService(start: () => Promise<Service>): Promise<never> {
  let service: Service | undefined;
  let stopping = false;

  function stop(deadlineMs: number, exitCode: number): void {
    // Nothing to lose before it serves; and whoever asks twice does not want to wait.
    if (!service || stopping) process.exit(stopping ? exitCode : 0);
    stopping = true;
    setTimeout(() => process.exit(1), deadlineMs).unref();
    service.stop().then(
      () => process.exit(0),
      (error) => process.exit(reportError(error)),
    );
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      stop(loadConfig(process.env).shutdownTimeoutMs, 128 + constants.signals[signal]);
    });
  }
  if (process.send) {
    process.on('disconnect', () => stop(orphanDeadlineMs, 1));
    if (!process.connected) process.exit(1);
  }

  try {
    service = await start();
  } catch (error) {
    return process.exit(await reportStartFailure(error));
  }
  await tellParent({ type: 'started', url: service.url });
  await service.stopped;
  // It ends itself only when asked to, and then `stop` decides on the exit code.
  return stopping ? new Promise<never>(() => {}) : process.exit(1);
}
