import { Command } from 'commander';
import { createClient } from '../client/client.ts';
import { usageError } from '../errors.ts';
import { isTerminal } from '../terminal.ts';
import { findFiles, spoolInput } from '../upload/find-files.ts';
import { exitCodeOf } from '../upload/outcome.ts';
import { createJsonReporter, createLineReporter } from '../upload/plain-reporters.ts';
import { type Reporter, uploadAll } from '../upload/upload-all.ts';
import { type ClientFlags, integerBetween, jsonObject, withClientOptions } from './client-options.ts';

interface UploadFlags extends ClientFlags {
  collection?: string;
  externalId?: string;
  name?: string;
  metadata?: Record<string, unknown>;
  recursive: boolean;
  concurrency: number;
  wait: boolean;
  json: boolean;
}

async function createReporter(json: boolean, files: number): Promise<Reporter> {
  if (json) return createJsonReporter();
  if (!isTerminal) return createLineReporter();
  const { createBarReporter } = await import('../upload/bar-reporter.ts');
  return createBarReporter(files);
}

async function upload(paths: string[], flags: UploadFlags): Promise<void> {
  const fromInput = paths.includes('-');
  if (fromInput && paths.length > 1) throw usageError('- (standard input) cannot be given with other files');
  if (fromInput && !flags.name) {
    throw usageError('- (standard input) needs a name', 'Its ending tells the format: --name notes.md');
  }
  await using cleanup = new AsyncDisposableStack();
  const files = fromInput
    ? [cleanup.use(await spoolInput(flags.name as string))]
    : await findFiles(paths, flags.recursive);
  if (files.length > 1 && (flags.name || flags.externalId)) {
    throw usageError(`--name and --external-id are for one file, and these are ${files.length}`);
  }
  const named = flags.name ? files.map((file) => ({ ...file, name: flags.name as string })) : files;
  const outcomes = await uploadAll(
    createClient({ url: flags.url, key: flags.key }),
    named,
    {
      collection: flags.collection,
      externalId: flags.externalId,
      metadata: flags.metadata,
      wait: flags.wait,
      concurrency: flags.concurrency,
    },
    await createReporter(flags.json, files.length),
  );
  process.exitCode = exitCodeOf(outcomes);
}

export function uploadCommand(): Command {
  const command = new Command('upload')
    .summary('upload documents and follow them until they can be searched')
    .description('Uploads files, several at once, and follows each until it can be searched or has failed.')
    .argument('<file...>', 'files; folders with --recursive; - for the standard input')
    .option('-c, --collection <name>', 'collection to upload into (default: "default")')
    .option('--external-id <id>', 'your id of the document; a later upload with it replaces the document')
    .option('--name <name>', 'name of the document (default: that of the file)')
    .option('--metadata <json>', 'JSON object that is stored with each document', jsonObject)
    .option('-r, --recursive', 'upload what is in folders, hidden files left out', false)
    .option('--concurrency <n>', 'files under way at once', integerBetween(1, 64), 8)
    .option('--no-wait', 'end when the server has the files safe, before they can be searched')
    .option('--json', 'print one JSON line per file: {file, outcome, upload | error}', false);
  return withClientOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ sluice upload report.pdf
  $ sluice upload law.docx --external-id law-2023 --metadata '{"language":"vi","year":2023}'
  $ sluice upload --recursive ./articles --collection articles --json
  $ curl -s https://example.org/page.html | sluice upload - --name page.html

Exit codes: 0 all ready (or accepted, with --no-wait), 1 some failed, 2 wrong usage, 3 server not reachable.`,
    )
    .action(upload);
}
