import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadBody } from '@sluice/contract';

export interface Document {
  name: string;
  content: string | Uint8Array<ArrayBuffer>;
  metadata?: Record<string, unknown>;
}

const deadlineMs = 60_000;

/** Uploads documents and waits until each has ended, whether well or not. */
export async function uploadAll(url: string, documents: readonly Document[]): Promise<void> {
  for (const { name, content, metadata = {} } of documents) {
    const form = new FormData();
    form.append('metadata', JSON.stringify(metadata));
    form.append('file', new Blob([content]), name);
    const response = await fetch(`${url}/v1/uploads`, { method: 'POST', body: form });
    if (response.status !== 202) throw new Error(`${name}: ${await response.text()}`);
  }
  for (const deadline = Date.now() + deadlineMs; Date.now() < deadline; await sleep(100)) {
    const response = await fetch(`${url}/v1/uploads?limit=200`);
    const { uploads } = (await response.json()) as { uploads: UploadBody[] };
    if (uploads.every(({ state }) => state !== 'queued' && state !== 'processing')) return;
  }
  throw new Error(`uploads have not ended within ${deadlineMs} ms`);
}
