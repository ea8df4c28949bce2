import { readFile } from 'node:fs/promises';
import type { AnswerBody, Problem, UploadBody } from '@sluice/contract';

export const corpus = new URL('../../../../examples/corpus/', import.meta.url);

export interface Client {
  post(form: FormData): Promise<Response>;
  /** Uploads and waits for the end. */
  upload(
    name: string,
    bytes: Uint8Array<ArrayBuffer> | string,
    fields?: Record<string, string>,
  ): Promise<UploadBody>;
  uploadFromCorpus(name: string, fields?: Record<string, string>): Promise<UploadBody>;
  settled(id: string): Promise<UploadBody>;
  query(body: Record<string, unknown>): Promise<AnswerBody>;
}

export function form(
  files: Record<string, Uint8Array<ArrayBuffer> | string>,
  fields: Record<string, string> = {},
): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  for (const [name, bytes] of Object.entries(files)) data.append('file', new Blob([bytes]), name);
  return data;
}

export async function problemOf(answer: Response): Promise<Problem> {
  if (!answer.headers.get('content-type')?.startsWith('application/problem+json')) {
    throw new Error(`no problem document: ${answer.status} ${await answer.text()}`);
  }
  return (await answer.json()) as Problem;
}

export function createClient(url: string): Client {
  const post = (body: FormData) => fetch(`${url}/v1/uploads`, { method: 'POST', body });
  async function settled(id: string): Promise<UploadBody> {
    for (let i = 0; i < 400; i += 1) {
      const upload = (await (await fetch(`${url}/v1/uploads/${id}`)).json()) as UploadBody;
      if (['ready', 'failed', 'superseded'].includes(upload.state)) return upload;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`upload ${id} did not end within 20 s`);
  }
  async function upload(
    name: string,
    bytes: Uint8Array<ArrayBuffer> | string,
    fields: Record<string, string> = {},
  ): Promise<UploadBody> {
    const answer = await post(form({ [name]: bytes }, fields));
    if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
    const { uploads } = (await answer.json()) as { uploads: UploadBody[] };
    return settled((uploads[0] as UploadBody).id);
  }
  return {
    post,
    settled,
    upload,
    uploadFromCorpus: async (name, fields) => upload(name, await readFile(new URL(name, corpus)), fields),
    async query(body) {
      const answer = await fetch(`${url}/v1/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as AnswerBody;
    },
  };
}
