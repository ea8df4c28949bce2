import { violationKinds } from './checker/violation.ts';
import { counts, expectedLive } from './ledger.ts';
import type { ChaosOutcome, ChaosProgress } from './run-chaos.ts';

export function progressLine({ phase, kills, uploads, unfinished }: ChaosProgress, of: number): string {
  return `${phase}: ${kills} of ${of} kills, ${uploads} uploads kept, ${unfinished} of them not final`;
}

const list = (figures: ReadonlyMap<string | number, number>) =>
  [...figures].map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** What was done, and everything that is wrong, for people. */
export function describeOutcome(outcome: ChaosOutcome): string {
  const { ledger, violations } = outcome;
  const uploads = ledger.documents.flatMap((document) => document.uploads);
  const lines = [
    `kills: ${outcome.kills}, ${outcome.killsDuringStart} of them during start; in ${seconds(outcome.killingMs)}, settled after ${seconds(outcome.settlingMs)}`,
    `faults: ${list(outcome.faults)}`,
    `operations: ${list(outcome.operations)}`,
    `answers by status (0: none came): ${list(new Map([...outcome.answers].sort(([a], [b]) => a - b)))}`,
    `left: ${uploads.length} uploads, ${uploads.filter(counts).length} of them count; ${ledger.documents.filter(expectedLive).length} live documents; deleted: ${ledger.deletedUploads.size} uploads, ${ledger.deletedDocuments.size} documents`,
    ...[...new Set(outcome.deaths)].map(
      (death) => `note: ${death} (${outcome.deaths.filter((other) => other === death).length} times)`,
    ),
  ];
  if (violations.length === 0) lines.push('all of it is as it should be');
  for (const [kind, of] of Map.groupBy(violations, (violation) => violation.kind)) {
    lines.push(`VIOLATION ${kind} (${of.length}): ${violationKinds[kind]}`);
    lines.push(...of.map(({ subject, detail }) => `  ${subject}: ${detail}`));
  }
  return lines.join('\n');
}
