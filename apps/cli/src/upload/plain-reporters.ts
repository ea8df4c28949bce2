import { harmless, note, print } from '../terminal.ts';
import { explainOutcome, type Outcome, outcomeJson } from './outcome.ts';
import type { Reporter } from './upload-all.ts';

const ignore = () => {};

function chunksOf(outcome: Outcome): string {
  if (!('upload' in outcome) || outcome.kind === 'failed') return '';
  const { id, progress } = outcome.upload;
  const chunks = progress.total ?? progress.done;
  return outcome.kind === 'ready' ? `  ${chunks} ${chunks === 1 ? 'chunk' : 'chunks'}  ${id}` : `  ${id}`;
}

export function outcomeLine(outcome: Outcome): string {
  return `${outcome.kind.padEnd(11)} ${harmless(outcome.file.label)}${chunksOf(outcome)}`;
}

export function summaryOf(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of outcomes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const parts = [...counts].map(([kind, count]) => `${count} ${kind}`);
  return `${outcomes.length} file${outcomes.length === 1 ? '' : 's'}: ${parts.join(', ')}`;
}

/** A line per file as it ends, for logs. */
export function createLineReporter(): Reporter {
  return {
    started: ignore,
    sent: ignore,
    status: ignore,
    done(outcome) {
      print(outcomeLine(outcome));
      for (const line of explainOutcome(outcome)) note(`  ${harmless(line)}`);
    },
    finished: (outcomes) => outcomes.length > 1 && note(summaryOf(outcomes)),
  };
}

/** One JSON line per file as it ends. */
export function createJsonReporter(): Reporter {
  return {
    started: ignore,
    sent: ignore,
    status: ignore,
    done: (outcome) => print(outcomeJson(outcome)),
    finished: ignore,
  };
}
