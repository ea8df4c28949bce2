// Usage: npm run test:chaos -- [--kills 1000] [--seed 1] [--documents 400] [--mode services|postgres-only] [--logs FOLDER]
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeOutcome, progressLine } from './report.ts';
import { runChaos } from './run-chaos.ts';
import { type Mode, modes, startServices } from './services.ts';

const help = `npm run test:chaos -- [options]

Kills workers at random points under traffic, with faults of Redis, Postgres and the gateway among it, and then compares the
tables with what was sent. Ends with status 1 and a list when anything is wrong. 1 000 kills take about 20 minutes on two cores.
  --kills N       workers to kill; default 1000
  --seed N        default: a random one, which is printed
  --documents N   logical documents; default 400
  --workers N     workers at a time; default 3
  --mode MODE     ${modes.join(' or ')}; default services
  --logs FOLDER   keep what workers and gateways write
`;
const say = (text: string) => void process.stderr.write(`${text}\n`);

function fail(message: string): never {
  say(message);
  process.exit(2);
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '1000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      documents: { type: 'string', default: '400' },
      workers: { type: 'string', default: '3' },
      mode: { type: 'string', default: 'services' },
      logs: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const number = (name: 'kills' | 'seed' | 'documents' | 'workers', least: number) =>
    /^\d{1,9}$/.test(values[name]) && Number(values[name]) >= least
      ? Number(values[name])
      : fail(`--${name} ${values[name]}: expected a whole number from ${least} on`);
  const mode = modes.find((known) => known === values.mode);
  return {
    help: values.help,
    logs: values.logs,
    mode: mode ?? fail(`--mode ${values.mode}: expected ${modes.join(' or ')}`),
    seed: number('seed', 0),
    kills: number('kills', 1),
    documents: number('documents', 2),
    workers: number('workers', 1),
  };
}

async function run(
  mode: Mode,
  options: ReturnType<typeof readArguments>,
  stopped: AbortSignal,
): Promise<boolean> {
  const { seed, kills, documents, logs } = options;
  if (logs) mkdirSync(logs, { recursive: true });
  say(`seed ${seed}, ${kills} kills, ${documents} documents, ${mode}`);
  await using services = await startServices(mode, seed);
  let last = 0;
  const outcome = await runChaos(services, {
    ...options,
    largeSentences: 1_200,
    lifeMs: 2_500,
    longestKillingMs: kills * 10_000,
    signal: stopped,
    onProgress(progress) {
      if (Date.now() - last < 10_000) return;
      last = Date.now();
      say(progressLine(progress, kills));
    },
  });
  process.stdout.write(`seed ${seed}\n${describeOutcome(outcome)}\n`);
  return outcome.violations.length === 0;
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
const options = readArguments();
if (options.help) process.stdout.write(help);
else {
  try {
    process.exitCode = (await run(options.mode, options, stopping.signal)) ? 0 : 1;
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    say('stopped before the end; nothing was compared');
    process.exitCode = 130;
  }
}
