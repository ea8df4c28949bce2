import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createRejoiner } from '@sluice/extraction';
import { type Document, readTextChunks } from '@sluice/store';
import type { RequestHandler } from 'express';
import type { Caller } from '../access/caller.ts';
import { HttpProblem } from '../http-problem.ts';
import type { Services } from '../services.ts';

// A chunk has at most 4 096 tokens, so a page is some megabytes in the worst case and 100 kB as a rule.
const pageChunks = 50;

async function* textOf({ pool }: Services, document: Document): AsyncGenerator<string> {
  const next = createRejoiner();
  for await (const chunks of readTextChunks(pool, document, pageChunks)) yield chunks.map(next).join('');
}

/** One JSON object whose `text` is written as it comes. */
async function* asJson(document: Document, text: AsyncIterable<string>): AsyncGenerator<string> {
  const { id, liveUploadId, characters } = document;
  const head = JSON.stringify({ document_id: id, upload_id: liveUploadId, characters });
  yield `${head.slice(0, -1)},"text":"`;
  for await (const piece of text) yield JSON.stringify(piece).slice(1, -1);
  yield '"}';
}

/** What comes first is read before anything is answered, so that a fault then is still an answer. */
async function* begun(first: IteratorResult<string>, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  if (!first.done) yield first.value;
  yield* rest;
}

/**
 * The extracted text of a document, put together from its chunks while it is sent. A version that goes live meanwhile cuts the answer
 * off, which HTTP shows as an answer that is not complete.
 */
export function sendDocumentText(
  services: Services,
  requireDocument: (id: string, caller: Caller) => Promise<Document>,
): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const type = request.accepts(['text/plain', 'application/json']);
    if (!type) {
      const detail = 'the text is there as text/plain and as application/json';
      throw new HttpProblem('not_acceptable', detail, { accept: request.get('accept') });
    }
    const document = await requireDocument(request.params.id, request.caller);
    response.set({ etag: `"${document.liveUploadId}"`, vary: 'Accept' });
    if (request.fresh) {
      response.status(304).end();
      return;
    }
    const text = textOf(services, document);
    const first = await text.next();
    const whole = begun(first, text);
    response.type(type === 'text/plain' ? 'text/plain; charset=utf-8' : 'application/json');
    const body = type === 'text/plain' ? whole : asJson(document, whole);
    await pipeline(Readable.from(body), response).catch((error) => {
      // Nobody is left who could be told.
      if (error?.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    });
  };
}
