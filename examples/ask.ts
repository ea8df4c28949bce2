import { parseArgs } from 'node:util';
import { type Answer, askQuestions } from './ask-questions.ts';
import { ClientError, createClient } from './client.ts';
import { documents } from './documents.ts';
import { type Loaded, loadCorpus } from './load-corpus.ts';

const usage = `Usage: node examples/ask.ts [options]

Uploads examples/corpus, waits until it is searchable and asks five questions.

  --url URL          address of the gateway (default http://localhost:3000)
  --key KEY          API key, sent as a bearer token
  --collection NAME  collection to fill (default procurement)
  --json             print one JSON document instead of text
  --help             print this

Exit code: 0 when each question found its document first, 1 when one did not or an upload
failed, 2 when the options make no sense.
`;

const say = (line: string) => process.stdout.write(`${line}\n`);

function readOptions() {
  return parseArgs({
    options: {
      url: { type: 'string', default: 'http://localhost:3000' },
      key: { type: 'string' },
      collection: { type: 'string', default: 'procurement' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

async function run({ url, key, collection, json }: ReturnType<typeof readOptions>): Promise<boolean> {
  const client = createClient({ url, key });
  if (!json) say(`Uploading to collection ${collection} at ${url}`);
  const loaded = await loadCorpus(client, {
    collection,
    onDone: (one) => {
      if (!json) say(`  ${describeUpload(one)}`);
    },
  });
  const failures = loaded.filter(({ upload }) => upload.state !== 'ready');
  // Answers from half a corpus would prove nothing.
  const answers = failures.length === 0 ? await askQuestions(client, collection) : [];
  if (json) say(JSON.stringify(toJson(loaded, answers), null, 2));
  else report(failures, answers);
  return failures.length === 0 && answers.every(({ passed }) => passed);
}

function report(failures: Loaded[], answers: Answer[]): void {
  if (failures.length > 0) {
    say(`\nNot ready: ${failures.length} of ${documents.length} documents. No question was asked.`);
    return;
  }
  for (const answer of answers) say(`\n${describeAnswer(answer)}`);
  const right = answers.filter(({ passed }) => passed).length;
  say(`\n${right} of ${answers.length} questions found their document first.`);
}

function describeUpload({ document, upload: { state, error } }: Loaded): string {
  return `${state.padEnd(10)} ${document.file}${error ? `  ${error.code}: ${error.message}` : ''}`;
}

function describeAnswer({ question, top, passed }: Answer): string {
  const verdict = passed ? 'as expected' : `NOT as expected: ${question.expectedFile}`;
  if (!top) return `? ${question.text}\n  nothing found, ${verdict}`;
  const place = [
    top.document.name,
    ...(top.page === null ? [] : [`page ${top.page}`]),
    ...(top.heading_path.length === 0 ? [] : [top.heading_path.join(' > ')]),
  ];
  return [
    `? ${question.text}`,
    `  ${top.score.toFixed(3)}  ${place.join(', ')}  (${verdict})`,
    `  ${snippet(top.text)}`,
  ].join('\n');
}

function snippet(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}

function toJson(loaded: Loaded[], answers: Answer[]) {
  return {
    uploads: loaded.map(({ document, upload: { id, state, error } }) => ({
      file: document.file,
      id,
      state,
      error,
    })),
    answers: answers.map(({ question, top, passed }) => ({
      question: question.text,
      expected: question.expectedFile,
      passed,
      top,
    })),
  };
}

let options: ReturnType<typeof readOptions>;
try {
  options = readOptions();
  new URL(options.url);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${usage}`);
  process.exit(2);
}
if (options.help) process.stdout.write(usage);
else {
  try {
    process.exitCode = (await run(options)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
