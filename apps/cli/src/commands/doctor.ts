import type { Readiness, UploadBody } from '@sluice/contract';
import { Command } from 'commander';
import { type Client, createClient, type MonitoringReports } from '../client/client.ts';
import {
  renderFigures,
  renderReadiness,
  renderRecommendation,
  renderUpload,
} from '../doctor/render-report.ts';
import { CliError, exitCodes } from '../errors.ts';
import { note, print } from '../terminal.ts';
import { type ClientFlags, withClientOptions } from './client-options.ts';

interface DoctorFlags extends ClientFlags {
  json: boolean;
}

/** What went wrong with the gateway is worth a look at what it stands on. */
async function explainUnreachable(): Promise<void> {
  const { checkServices } = await import('../doctor/check-services.ts');
  for (const sentence of await checkServices(process.env)) note(sentence);
}

interface Examination {
  readiness: Readiness;
  /** Where the database is away there are no figures, and the readiness says so. */
  reports: MonitoringReports | undefined;
  upload: UploadBody | undefined;
}

const isSound = ({ readiness, reports }: Pick<Examination, 'readiness' | 'reports'>) =>
  readiness.ready && !reports?.database.recommendations.some(({ severity }) => severity === 'critical');

async function examineAsJson(client: Client, id: string | undefined): Promise<number> {
  const readiness = await client.readiness();
  const reports = readiness.ready ? await client.monitoring() : undefined;
  const upload = id === undefined ? undefined : await client.findUpload(id);
  print(JSON.stringify({ readiness, ...reports, upload }));
  return isSound({ readiness, reports }) ? exitCodes.ok : exitCodes.failed;
}

/** Prints each part as soon as it is known: a key may open one and not the next. */
async function examine(client: Client, id: string | undefined): Promise<number> {
  const readiness = await client.readiness();
  print(renderReadiness(readiness).join('\n'));
  const reports = readiness.ready ? await client.monitoring() : undefined;
  if (reports) print(renderFigures(reports).join('\n'));
  const recommendations = reports?.database.recommendations ?? [];
  for (const recommendation of recommendations) print(`\n${renderRecommendation(recommendation).join('\n')}`);
  const sound = isSound({ readiness, reports });
  if (sound && recommendations.length === 0) print('\nNothing to recommend.');
  if (id !== undefined) print(`\n${renderUpload(await client.findUpload(id)).join('\n')}`);
  return sound ? exitCodes.ok : exitCodes.failed;
}

async function doctor(upload: string | undefined, { url, key, json }: DoctorFlags): Promise<void> {
  try {
    const client = createClient({ url, key });
    process.exitCode = await (json ? examineAsJson(client, upload) : examine(client, upload));
  } catch (error) {
    if (error instanceof CliError && error.code === 'server_unreachable') await explainUnreachable();
    throw error;
  }
}

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .summary('say what is the matter and what helps, with the figures it rests on')
    .description(
      'Asks the gateway for its health, its connections, who runs, what waits, and what to change.\n' +
        'With an upload it also says why that waits or has failed. When the gateway does not answer it looks at\n' +
        'DATABASE_URL and REDIS_URL itself.',
    )
    .argument('[upload]', 'id of an upload')
    .option('--json', 'print everything as one JSON line', false);
  return withClientOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ sluice doctor
  $ sluice doctor 0193a2c4-6f2e-7d31-9a53-0f2b5f6f7c11

Exit codes: 0 sound, 1 not ready or something critical, 2 wrong usage, 3 server not reachable.`,
    )
    .action(doctor);
}
