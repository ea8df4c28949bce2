import { openAsBlob } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadBody } from '@sluice/contract';
import type { Client } from '../client/client.ts';
import { followUpload } from '../client/follow.ts';
import { RequestError } from '../client/problem.ts';
import { CliError } from '../errors.ts';
import type { SourceFile } from './find-files.ts';

export interface UploadFields {
  collection: string | undefined;
  externalId: string | undefined;
  metadata: Record<string, unknown> | undefined;
}

export interface Follower {
  onSent(bytes: number): void;
  onStatus(upload: UploadBody): void;
}

const maxAttempts = 5;
const busyDelayMs = 1_000;
const hungUpDelayMs = 100;

async function formOf(file: SourceFile, fields: UploadFields): Promise<FormData> {
  const form = new FormData();
  // Fields come before the file that they describe: the server reads the request as it streams in.
  if (fields.collection !== undefined) form.set('collection', fields.collection);
  if (fields.externalId !== undefined) form.set('external_id', fields.externalId);
  if (fields.metadata !== undefined) form.set('metadata', JSON.stringify(fields.metadata));
  form.set('name', file.name);
  // Backed by the file: it is read as it is sent.
  const blob = await openAsBlob(file.path).catch((cause: Error) => {
    throw new CliError('request_refused', `cannot read ${file.label}: ${cause.message}`, { cause });
  });
  form.set('file', blob, file.name);
  return form;
}

/**
 * How long to wait before the same request is sent again, in ms; undefined when it would not help. A busy server has taken
 * nothing. One that hung up has refused the file, and its reason got lost with the connection: it may come through next time.
 */
function retryDelay(error: unknown, attempt: number): number | undefined {
  if (attempt >= maxAttempts || !(error instanceof CliError)) return undefined;
  if (error.code === 'hung_up') return hungUpDelayMs;
  if (!(error instanceof RequestError) || error.status !== 503) return undefined;
  return error.retryAfterMs ?? busyDelayMs * attempt;
}

async function send(client: Client, form: FormData, onSent: Follower['onSent']): Promise<UploadBody> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.upload(form, onSent);
    } catch (error) {
      const delay = retryDelay(error, attempt);
      if (delay === undefined) throw error;
      await sleep(delay);
    }
  }
}

/** Uploads one file, and follows it to its final state if `wait`. */
export async function uploadFile(
  client: Client,
  file: SourceFile,
  { wait, ...fields }: UploadFields & { wait: boolean },
  { onSent, onStatus }: Follower,
): Promise<UploadBody> {
  const accepted = await send(client, await formOf(file, fields), onSent);
  onStatus(accepted);
  return wait ? followUpload(client, accepted, onStatus) : accepted;
}
