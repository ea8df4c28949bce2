import type { UploadBody } from '@sluice/contract';
import { bytesOf } from '../corpus/content.ts';
import type { SentDocument, SentUpload } from '../ledger.ts';
import type { Answer, Client } from './client.ts';

/** The same request however often it is made, as its key demands. */
export function postUpload(
  client: Client,
  document: SentDocument,
  upload: Omit<SentUpload, 'id'>,
): Promise<Answer> {
  const bytes = bytesOf(upload.content);
  return client.ask({
    method: 'POST',
    path: '/v1/uploads',
    headers: { 'idempotency-key': upload.idempotencyKey },
    body() {
      const form = new FormData();
      form.append('collection', document.collection);
      form.append('external_id', document.key);
      form.append('metadata', JSON.stringify(upload.metadata));
      form.append('file', new Blob([bytes]), upload.fileName);
      return form;
    },
  });
}

const open = new Set(['queued', 'processing']);

/** Whether none of them is under way; asks again until `timeoutMs` has passed. */
export async function settled(
  client: Client,
  uploads: readonly SentUpload[],
  timeoutMs: number,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const states = await Promise.all(uploads.map(({ id }) => stateOf(client, id)));
    if (!states.some((state) => state !== undefined && open.has(state))) return true;
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Undefined when there is no such upload. */
export async function stateOf(client: Client, id: string): Promise<UploadBody['state'] | undefined> {
  const { status, body } = await client.ask({ method: 'GET', path: `/v1/uploads/${id}` });
  return status === 200 ? (body as UploadBody).state : undefined;
}
