import { Command } from 'commander';
import { type Client, createClient } from '../client/client.ts';
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

async function examine(client: Client, upload: string | undefined, json: boolean): Promise<number> {
  const readiness = await client.readiness();
  // Where the database is away there are no figures, and the readiness says so.
  const reports = readiness.ready ? await client.monitoring() : undefined;
  const examined = upload === undefined ? undefined : await client.findUpload(upload);
  const recommendations = reports?.database.recommendations ?? [];
  const sound = readiness.ready && !recommendations.some(({ severity }) => severity === 'critical');
  if (json) {
    print(JSON.stringify({ readiness, ...reports, upload: examined }));
    return sound ? exitCodes.ok : exitCodes.failed;
  }
  print([...renderReadiness(readiness), ...(reports ? renderFigures(reports) : [])].join('\n'));
  for (const recommendation of recommendations) print(`\n${renderRecommendation(recommendation).join('\n')}`);
  if (examined) print(`\n${renderUpload(examined).join('\n')}`);
  if (sound && recommendations.length === 0) print('\nNothing to recommend.');
  return sound ? exitCodes.ok : exitCodes.failed;
}

async function doctor(upload: string | undefined, { url, key, json }: DoctorFlags): Promise<void> {
  try {
    process.exitCode = await examine(createClient({ url, key }), upload, json);
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
