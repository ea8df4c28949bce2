import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadBody } from '@sluice/contract';
import type { Random } from '@sluice/testing';
import { type Content, fileNameOf } from '../corpus/content.ts';
import type { DocumentPlan } from '../corpus/corpus.ts';
import {
  expectedLive,
  forgetDocument,
  forgetUpload,
  type Ledger,
  type SentDocument,
  type SentUpload,
} from '../ledger.ts';
import type { Answer, Client } from './client.ts';
import { postUpload, settled, stateOf } from './upload-requests.ts';

export interface OperationContext {
  client: Client;
  ledger: Ledger;
  random: Random;
  /** One document at a time belongs to one sender. */
  document: SentDocument;
  plan: DocumentPlan;
  /** Different for each request of a run. */
  nextNumber: () => number;
}

type Operation = (context: OperationContext) => Promise<void>;

// What waits for a document to come to rest does something else when that takes longer.
const restMs = 20_000;
const cancelWithinMs = 1_500;

function wrong({ ledger, document }: OperationContext, what: string, { status, body }: Answer): void {
  const said = typeof body === 'string' ? body : JSON.stringify(body);
  ledger.wrongAnswers.push({
    subject: document.key,
    detail: `${what}: ${status} ${said.slice(0, 300)}`,
  });
}

async function send(
  context: OperationContext,
  version: Pick<SentUpload, 'content' | 'fileName' | 'metadata'>,
): Promise<SentUpload | undefined> {
  const { client, ledger, document } = context;
  const sent = { ...version, idempotencyKey: `${document.key}-${context.nextNumber()}`, cancelled: false };
  const answer = await postUpload(client, document, sent);
  if (answer.status !== 202) return void wrong(context, 'upload', answer);
  const { id, document_id } = (answer.body as { uploads: [UploadBody] }).uploads[0];
  const known = document.documentId;
  if (ledger.deletedDocuments.has(document_id) || (known !== undefined && known !== document_id))
    wrong(context, `upload goes to another document than ${known}`, answer);
  const upload = { ...sent, id };
  document.documentId = document_id;
  document.uploads.push(upload);
  return upload;
}

function sendNew(context: OperationContext): Promise<SentUpload | undefined> {
  const { document, plan, nextNumber } = context;
  const content: Content = plan.next();
  return send(context, {
    content,
    fileName: fileNameOf(content, document.key),
    metadata: { doc: document.key, version: nextNumber() },
  });
}

async function sendAgain(context: OperationContext): Promise<void> {
  await send(context, context.document.uploads.at(-1) as SentUpload);
}

async function cancel(context: OperationContext, upload: SentUpload): Promise<void> {
  const answer = await context.client.ask({ method: 'POST', path: `/v1/uploads/${upload.id}/cancel` });
  if (answer.status === 200) upload.cancelled = true;
  else if (answer.status !== 409) wrong(context, `cancel ${upload.id}`, answer);
}

async function retry(context: OperationContext): Promise<void> {
  const upload = context.random.pick(context.document.uploads.filter(({ cancelled }) => cancelled));
  const answer = await context.client.ask({ method: 'POST', path: `/v1/uploads/${upload.id}/retry` });
  // 409 says that it is in line already: a try without an answer has put it there.
  if (answer.status === 202 || (answer.status === 409 && answer.unanswered > 0)) upload.cancelled = false;
  else wrong(context, `retry ${upload.id}`, answer);
}

async function change(context: OperationContext): Promise<void> {
  const { client, document, nextNumber } = context;
  if (!(await settled(client, document.uploads, restMs))) return;
  const live = expectedLive(document) as SentUpload;
  const path = `/v1/documents/${document.documentId}`;
  const before = await client.ask({ method: 'GET', path });
  if (before.status !== 200 || before.body.upload_id !== live.id)
    return wrong(context, `not live, ${live.id} should be`, before);
  const metadata = { doc: document.key, change: nextNumber() };
  const answer = await client.ask({
    method: 'PATCH',
    path,
    headers: { 'content-type': 'application/json' },
    body: () => JSON.stringify({ metadata }),
  });
  if (answer.status === 200) document.change = { uploadId: live.id, metadata };
  else wrong(context, `change ${document.documentId}`, answer);
}

/** Whether it is gone now. 404 says so too when a try without an answer has removed it. */
function isDeleted({ status, unanswered }: Answer): boolean {
  return status === 200 || status === 204 || (status === 404 && unanswered > 0);
}

async function deleteUpload(context: OperationContext): Promise<void> {
  const { client, ledger, document, random } = context;
  const upload = random.pick(document.uploads);
  const atRest = random.chance(0.5) && (await settled(client, document.uploads, restMs));
  const answer = await client.ask({ method: 'DELETE', path: `/v1/uploads/${upload.id}` });
  if (!isDeleted(answer)) return wrong(context, `delete upload ${upload.id}`, answer);
  const sibling = document.uploads.find(({ id }) => id !== upload.id);
  // Of a document that is moving nobody knows which version was live at that moment.
  const tookAll = atRest
    ? upload.id === expectedLive(document)?.id
    : sibling !== undefined && (await stateOf(client, sibling.id)) === undefined;
  if (tookAll) forgetDocument(ledger, document);
  else forgetUpload(ledger, document, upload.id);
}

async function deleteDocument(context: OperationContext): Promise<void> {
  const { client, ledger, document } = context;
  const answer = await client.ask({ method: 'DELETE', path: `/v1/documents/${document.documentId}` });
  if (isDeleted(answer)) forgetDocument(ledger, document);
  else wrong(context, `delete document ${document.documentId}`, answer);
}

async function sendAndCancel(context: OperationContext): Promise<void> {
  const upload = await sendNew(context);
  if (!upload) return;
  await sleep(context.random.between(0, cancelWithinMs));
  await cancel(context, upload);
}

export const operations = {
  sendNew: async (context) => void (await sendNew(context)),
  sendAgain,
  sendAndCancel,
  retry,
  change,
  deleteUpload,
  deleteDocument,
} satisfies Record<string, Operation>;
export type OperationName = keyof typeof operations;

/** Does one thing with a document that it allows now, until that is answered. */
export async function operate(context: OperationContext): Promise<OperationName> {
  const { document, random } = context;
  const exists = document.uploads.length > 0;
  const name = random.weighted<OperationName>({
    sendNew: 6,
    sendAndCancel: 1.5,
    sendAgain: exists ? 1.5 : 0,
    retry: document.uploads.some(({ cancelled }) => cancelled) ? 4 : 0,
    change: expectedLive(document) ? 1.5 : 0,
    deleteUpload: exists ? 1 : 0,
    deleteDocument: exists ? 1 : 0,
  });
  await operations[name](context);
  return name;
}
