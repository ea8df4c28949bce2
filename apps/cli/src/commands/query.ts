import { Command, InvalidArgumentError, Option } from 'commander';
import { createClient } from '../client/client.ts';
import { renderAnswer } from '../query/render-answer.ts';
import { print } from '../terminal.ts';
import { type ClientFlags, integerBetween, jsonObject, withClientOptions } from './client-options.ts';

interface QueryFlags extends ClientFlags {
  collection?: string[];
  mode?: string;
  k: number;
  maxPerDocument?: number;
  minScore?: number;
  filter?: Record<string, unknown>;
  rerank: boolean;
  json: boolean;
}

function finite(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number.');
}

async function query(words: string[], flags: QueryFlags): Promise<void> {
  const {
    url,
    key,
    collection: collections,
    mode,
    k,
    filter,
    maxPerDocument,
    minScore,
    rerank,
    json,
  } = flags;
  const text = words.join(' ');
  const body = await createClient({ url, key }).query({
    query: text,
    k,
    ...(collections && { collections }),
    ...(mode && { mode }),
    ...(maxPerDocument !== undefined && { max_per_document: maxPerDocument }),
    ...(minScore !== undefined && { score_threshold: minScore }),
    ...(filter && { filter }),
    ...(rerank && { rerank }),
  });
  print(json ? JSON.stringify(body) : renderAnswer(body, text));
}

export function queryCommand(): Command {
  const command = new Command('query')
    .summary('search a collection')
    .description('Searches a collection and shows the best passages: score, document, place, text.')
    .argument('<text...>', 'what to look for; several words need no quotes')
    .option(
      '-c, --collection <name>',
      'collection to search, once for each of several (default: "default")',
      (name: string, before: string[] = []) => [...before, name],
    )
    .addOption(
      new Option('-m, --mode <mode>', 'by meaning, by words, or both (default: "vector")').choices([
        'vector',
        'text',
        'hybrid',
      ]),
    )
    .option('-k, --k <n>', 'how many passages', integerBetween(1, 200), 5)
    .option('--max-per-document <n>', 'most passages of one document', integerBetween(1, 200))
    .option('--min-score <score>', 'only passages of that score at least', finite)
    .option(
      '--filter <json>',
      'only documents whose metadata fits this JSON object; operators such as $gte are possible',
      jsonObject,
    )
    .option('--rerank', 'in the order of the re-ranking model of the server', false)
    .option('--json', 'print the answer of the server as one JSON line', false);
  return withClientOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ sluice query how long is a bid valid
  $ sluice query "hồ sơ mời thầu" --filter '{"language":"vi"}' --k 3
  $ sluice query --mode text '"bid security" -draft'
  $ sluice query --mode hybrid which bids need a security
  $ sluice query bid security --filter '{"year":{"$gte":2020},"$not":{"status":"draft"}}'
  $ sluice query bid security --json | jq -r '.results[].document.name'

Exit codes: 0 answered (even if nothing was found), 1 the server refused, 2 wrong usage, 3 server not reachable.`,
    )
    .action(query);
}
