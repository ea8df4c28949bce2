import type { QualityBody } from '@sluice/contract';
import { Command } from 'commander';
import { createClient } from '../client/client.ts';
import { print } from '../terminal.ts';
import { type ClientFlags, integerBetween, withClientOptions } from './client-options.ts';

interface RecallFlags extends ClientFlags {
  sample: number;
  json: boolean;
}

const digits = (share: number) => share.toFixed(4);

function render({ collection, state, effort, target, sample_size: sample, curve }: QualityBody): string {
  if (state === 'exact') return `${collection}: no vector index, so searches are exact: recall 1`;
  if (curve.length === 0)
    return `${collection}: empty, or too large to compare a query in time; effort ${effort}`;
  const rows = curve.map(
    ({ effort: tried, recall, low, high }) =>
      `${String(tried).padStart(6)}    ${digits(recall)}    ${digits(low)} to ${digits(high)}${tried === effort ? '    chosen' : ''}`,
  );
  return [
    `${collection}: ${sample} queries against exact search, recall to hold ${target}`,
    'effort    recall@10 95 % interval',
    ...rows,
  ].join('\n');
}

async function recall(collection: string, { url, key, sample, json }: RecallFlags): Promise<void> {
  const quality = await createClient({ url, key }).measureQuality(collection, sample);
  print(json ? JSON.stringify(quality) : render(quality));
}

export function recallCommand(): Command {
  const command = new Command('recall')
    .summary('measure how much of what exact search finds a collection finds')
    .description(
      'Compares queries made of stored chunks with exact search, at several efforts, and chooses the effort of searches by that.',
    )
    .argument('[collection]', 'which one', 'default')
    .option('--sample <n>', 'queries at most; fewer when ten seconds are over', integerBetween(1, 500), 100)
    .option('--json', 'print the answer of the server as one JSON line', false);
  return withClientOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ sluice recall
  $ sluice recall reports --sample 300

Exit codes: 0 measured, 1 the server refused, 2 wrong usage, 3 server not reachable.`,
    )
    .action(recall);
}
