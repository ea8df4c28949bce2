import { createRandom } from '@sluice/testing';
import { checkQueue, checkSearch } from './checker/check-outside.ts';
import { checkTables } from './checker/check-tables.ts';
import { createReference } from './checker/reference.ts';
import type { Violation } from './checker/violation.ts';
import { createCorpus } from './corpus/corpus.ts';
import { startFaults } from './faults.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { createLedger, type Ledger } from './ledger.ts';
import type { Services } from './services.ts';
import { type Client, createClient } from './traffic/client.ts';
import { startSender } from './traffic/sender.ts';
import { comeToRest, watchUploads } from './watch-uploads.ts';

export interface ChaosOptions {
  seed: number;
  /** Workers that are killed, in all. */
  kills: number;
  /** Logical documents. */
  documents: number;
  /** Sentences of the shortest large document. */
  largeSentences: number;
  workers: number;
  /** Mean life of a worker, in milliseconds. */
  lifeMs: number;
  /** Killing ends after this time, in milliseconds, however many were killed. */
  longestKillingMs: number;
  /** Folder for the logs of workers and gateways. */
  logs: string | undefined;
  signal: AbortSignal;
  onProgress(progress: ChaosProgress): void;
}

export interface ChaosProgress {
  phase: 'killing' | 'settling' | 'checking';
  kills: number;
  uploads: number;
  unfinished: number;
}

export interface ChaosOutcome {
  violations: Violation[];
  ledger: Ledger;
  kills: number;
  killsDuringStart: number;
  faults: ReadonlyMap<string, number>;
  operations: ReadonlyMap<string, number>;
  /** How often the gateway answered with which status; 0: not at all. */
  answers: ReadonlyMap<number, number>;
  /** Processes that ended without being killed. */
  deaths: readonly string[];
  killingMs: number;
  settlingMs: number;
}

const senders = 10;
const backlog = 40;
const progressMs = 1_000;
const queueMs = 10_000;
/** Everything has to be final within this and a share for each upload that is left. One that was put off waits for 90 s at most. */
const settle = { leastMs: 150_000, perUploadMs: 1_000 };

/** Sends, kills, waits, compares. Whatever it starts has ended when it returns or throws. */
export async function runChaos(services: Services, options: ChaosOptions): Promise<ChaosOutcome> {
  const { seed, signal } = options;
  const random = (label: string) => createRandom(seed, label);
  const plans = createCorpus(seed, options.documents, options.largeSentences);
  const ledger = createLedger(plans);
  const client = createClient(services.gatewayUrl, signal);
  await using watch = watchUploads(services.pool);
  await using fleet = startFleet({
    ...options,
    environment: services.environment,
    random: random('fleet'),
    inTheMiddle: watch.inTheMiddle,
  });
  let phase: ChaosProgress['phase'] = 'killing';
  using _ = repeat(progressMs, () => {
    const uploads = ledger.documents.reduce((sum, document) => sum + document.uploads.length, 0);
    options.onProgress({ phase, kills: fleet.kills, uploads, unfinished: watch.unfinished() });
  });
  const sender = startSender({ client, ledger, plans, seed, senders, backlog, unfinished: watch.unfinished });
  await using faults = startFaults(fleet, services, options, random('faults'));

  const started = performance.now();
  await untilKilled(fleet, options);
  await faults.finished;
  await sender.stop();
  const killed = performance.now();
  phase = 'settling';
  await comeToRest(services, settle.leastMs + settle.perUploadMs * watch.unfinished(), signal);
  const settled = performance.now();
  phase = 'checking';
  const violations = await check(services, ledger, client);
  return {
    violations,
    ledger,
    kills: fleet.kills,
    killsDuringStart: fleet.killsDuringStart,
    faults: faults.inflicted,
    operations: sender.done,
    answers: client.tally,
    deaths: fleet.deaths,
    killingMs: killed - started,
    settlingMs: settled - killed,
  };
}

async function untilKilled(fleet: Fleet, { longestKillingMs, signal }: ChaosOptions): Promise<void> {
  const timer = setTimeout(fleet.endKills, longestKillingMs);
  signal.addEventListener('abort', fleet.endKills);
  await fleet.killing;
  clearTimeout(timer);
  signal.removeEventListener('abort', fleet.endKills);
  signal.throwIfAborted();
}

async function check(services: Services, ledger: Ledger, client: Client): Promise<Violation[]> {
  const { pool, collections, producer } = services;
  await using reference = await createReference(services);
  const answers = ledger.wrongAnswers.map((wrong): Violation => ({ kind: 'wrong_answer', ...wrong }));
  return [
    ...answers,
    ...(await checkTables(pool.lane('bulk'), ledger, collections, reference)),
    ...(await checkQueue(producer, queueMs)),
    ...(await checkSearch(client, ledger)),
  ];
}

function repeat(ms: number, action: () => void): Disposable {
  const timer = setInterval(action, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
