import { Command } from 'commander';
import { showFirstKey } from '../first-key.ts';
import { runService } from '../run-service.ts';

// Loaded only by the command that needs it: `sluice query` should not wait for a server to load.
export function gatewayCommand(): Command {
  return new Command('gateway')
    .summary('run the HTTP gateway in the foreground')
    .description(
      'Runs the HTTP gateway: API, page, API reference and queue dashboard.\n' +
        'Needs DATABASE_URL, migrated (sluice migrate); see .env.example for every variable.',
    )
    .addHelpText('after', '\nExample:\n  $ DATABASE_URL=postgresql://localhost/sluice sluice gateway')
    .action(() =>
      runService(async () => {
        const { runGateway } = await import('@sluice/gateway');
        return runGateway(process.env, { onFirstKey: showFirstKey });
      }),
    );
}

export function workerCommand(): Command {
  return new Command('worker')
    .summary('run an ingestion worker in the foreground')
    .description(
      'Runs a worker that extracts, chunks, embeds and publishes uploads.\n' +
        'Any number of them may run against the same DATABASE_URL and REDIS_URL.',
    )
    .addHelpText('after', '\nExample:\n  $ WORKER_CONCURRENCY=8 sluice worker')
    .action(() =>
      runService(async () => {
        const { runWorker, yieldProcessors } = await import('@sluice/worker');
        yieldProcessors(process.env);
        return runWorker(process.env);
      }),
    );
}
