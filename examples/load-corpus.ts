import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Upload } from './client.ts';
import { type CorpusDocument, corpusFolder, documents } from './documents.ts';

export interface Loaded {
  document: CorpusDocument;
  /** The last state seen: `ready`, or why it isn't. */
  upload: Upload;
}

export interface LoadOptions {
  collection: string;
  /** Milliseconds that all uploads together may take; default 120 000. */
  deadline?: number;
  onDone?: (loaded: Loaded) => void;
}

const pending = new Set(['queued', 'processing']);
const pollInterval = 250;

/** Uploads every file of corpus/ and waits until none is pending or the deadline has passed. */
export async function loadCorpus(
  client: Client,
  { collection, deadline = 120_000, onDone }: LoadOptions,
): Promise<Loaded[]> {
  await client.ensureCollection(collection);
  const giveUpAt = Date.now() + deadline;
  const accepted: Loaded[] = [];
  for (const document of documents) {
    const bytes = await readFile(new URL(document.file, corpusFolder));
    const { externalId, metadata, file: name } = document;
    accepted.push({
      document,
      upload: await client.upload({ collection, externalId, metadata, name, bytes }),
    });
  }
  return Promise.all(
    accepted.map(async ({ document, upload }) => {
      const loaded = { document, upload: await settle(client, upload, giveUpAt) };
      onDone?.(loaded);
      return loaded;
    }),
  );
}

async function settle(client: Client, upload: Upload, giveUpAt: number): Promise<Upload> {
  // Ask at least once: the answer to the upload may lack what the status has, such as the error.
  let status = await client.status(upload);
  while (pending.has(status.state) && Date.now() < giveUpAt) {
    await sleep(pollInterval);
    status = await client.status(upload);
  }
  return { ...upload, ...status };
}
