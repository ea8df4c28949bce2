import { createRandom } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import type { DocumentPlan } from '../src/corpus/corpus.ts';
import { createLedger, expectedLive, type Ledger } from '../src/ledger.ts';
import type { Answer, Question } from '../src/traffic/client.ts';
import { type OperationName, operations } from '../src/traffic/operations.ts';

const plan: DocumentPlan = {
  key: 'doc1x',
  collection: 'plain',
  next: () => ({
    kind: 'written',
    document: 'doc1x',
    format: 'text',
    paragraphs: [{ place: 0, revision: 1 }],
  }),
};

type Reply = { status: number; body?: unknown; unanswered?: number };

/** A ledger after operations that were answered like this; what is not among the replies is answered well. */
async function ledgerAfter(steps: [OperationName, (question: Question) => Reply | undefined][]) {
  const ledger = createLedger([plan]);
  let number = 0;
  for (const [name, reply] of steps) {
    const ask = async (question: Question): Promise<Answer> => {
      const { status, body = {}, unanswered = 0 } = reply(question) ?? answerWell(question, ++number);
      return { status, body, unanswered };
    };
    await operations[name]({
      client: { ask, tally: new Map() },
      ledger,
      random: createRandom(1, name),
      document: ledger.documents[0] as Ledger['documents'][number],
      plan,
      nextNumber: () => ++number,
    });
  }
  return { ledger, document: ledger.documents[0] as Ledger['documents'][number] };
}

function answerWell({ method, path }: Question, number: number): Reply {
  if (method === 'POST' && path === '/v1/uploads')
    return { status: 202, body: { uploads: [{ id: `upload-${number}`, document_id: 'document' }] } };
  return { status: 200, body: { state: 'ready' } };
}

const well = () => undefined;
const on = (method: Question['method'], reply: Reply) => (question: Question) =>
  question.method === method && question.path !== '/v1/uploads' ? reply : undefined;

describe('the ledger', () => {
  test('expects the last version that was neither cancelled nor deleted', async () => {
    const { document, ledger } = await ledgerAfter([
      ['sendNew', well],
      ['sendNew', well],
      ['sendAndCancel', well],
    ]);
    expect(document.uploads.map(({ cancelled }) => cancelled)).toEqual([false, false, true]);
    expect(expectedLive(document)).toBe(document.uploads[1]);
    expect(ledger.wrongAnswers).toEqual([]);
  });

  test('takes 409 on a cancel for an upload that had ended, and counts on it', async () => {
    const { document, ledger } = await ledgerAfter([['sendAndCancel', on('POST', { status: 409 })]]);
    expect(expectedLive(document)).toBe(document.uploads[0]);
    expect(ledger.wrongAnswers).toEqual([]);
  });

  test.each([
    [1, true, 0],
    [0, false, 1],
  ])(
    'after %i tries without an answer, 404 on a delete counts as deleted: %s',
    async (unanswered, deleted, wrong) => {
      const { document, ledger } = await ledgerAfter([
        ['sendNew', well],
        ['deleteDocument', on('DELETE', { status: 404, unanswered })],
      ]);
      expect(document.uploads).toHaveLength(deleted ? 0 : 1);
      expect(ledger.deletedDocuments.has('document')).toBe(deleted);
      expect(ledger.wrongAnswers).toHaveLength(wrong);
    },
  );

  test.each([
    [1, false, 0],
    [0, true, 1],
  ])(
    'after %i tries without an answer, 409 on a retry leaves it cancelled: %s',
    async (unanswered, cancelled, wrong) => {
      const { document, ledger } = await ledgerAfter([
        ['sendAndCancel', well],
        ['retry', on('POST', { status: 409, unanswered })],
      ]);
      expect(document.uploads[0]?.cancelled).toBe(cancelled);
      expect(ledger.wrongAnswers).toHaveLength(wrong);
    },
  );

  test('notes an upload that is refused, and one that goes to a document that was deleted', async () => {
    const refused = await ledgerAfter([['sendNew', () => ({ status: 400 })]]);
    expect(refused.ledger.wrongAnswers).toMatchObject([{ detail: expect.stringContaining('400') }]);
    const revived = await ledgerAfter([
      ['sendNew', well],
      ['deleteDocument', well],
      ['sendNew', well],
    ]);
    expect(revived.ledger.wrongAnswers).toHaveLength(1);
  });
});
