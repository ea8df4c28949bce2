import { signal } from '@preact/signals';
import { expect, it } from 'vitest';
import { ApiError } from '../src/api/api-error.ts';
import type { Connection } from '../src/api/connection.ts';
import { createSender, type Sender } from '../src/uploads/sender.ts';
import { sampleUpload } from './sample-upload.ts';

type Answer = 'taken' | ApiError;

const broken = new ApiError('unreachable', 'broke', { status: 0 });
const file = new File(['text'], 'a.txt');
const source = { file, fields: { collection: 'default', name: 'a.txt' } };

/** A sender whose server gives these answers, one after the other. */
function senderTo(answers: Answer[]) {
  const listeners: (() => void)[] = [];
  const lost = signal(false);
  const connection: Connection = {
    lost,
    failed: () => {},
    onBack: (listener) => void listeners.push(listener),
  };
  const keys: string[] = [];
  const accepted: string[] = [];
  const sender = createSender(
    {
      async sendFile(_file, _fields, key) {
        keys.push(key);
        const answer = answers.shift() ?? 'taken';
        if (answer !== 'taken') throw answer;
        return { uploads: [sampleUpload({ id: key })] };
      },
    },
    connection,
    (uploads) => accepted.push(...uploads.map(({ id }) => id)),
  );
  const back = () => listeners.forEach((listener) => void listener());
  return { sender, keys, accepted, back };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 1));
const stateOf = ({ parcels }: Sender) => parcels.value.map(({ held, error }) => error?.code ?? held);

it('sends a file again when the connection is back, under the same key, so that it arrives once', async () => {
  const { sender, keys, accepted, back } = senderTo([broken, 'taken']);
  sender.send([source]);
  await settled();
  expect(stateOf(sender)).toEqual(['connection']);
  back();
  await settled();
  expect(stateOf(sender)).toEqual([]);
  expect(keys).toEqual([keys[0], keys[0]]);
  expect(accepted).toEqual([keys[0]]);
});

it('gives up a file that breaks the connection every time, and says why', async () => {
  const { sender, keys, back } = senderTo([broken, broken, broken]);
  sender.send([source]);
  for (let times = 0; times < 3; times += 1) {
    await settled();
    back();
  }
  expect(stateOf(sender)).toEqual(['unreachable']);
  expect(keys).toHaveLength(3);
});

it('waits for a busy server as long as that says, and shows a refusal at once', async () => {
  const busy = new ApiError('backlog_full', 'many wait', { status: 429, retryAfterMs: 5 });
  const refused = new ApiError('unknown_format', 'what is it', { status: 415 });
  const { sender, accepted } = senderTo([busy, 'taken']);
  sender.send([source]);
  await settled();
  expect(stateOf(sender)).toEqual(['busy']);
  await expect.poll(() => accepted.length).toBe(1);
  const other = senderTo([refused]);
  other.sender.send([source]);
  await settled();
  expect(stateOf(other.sender)).toEqual(['unknown_format']);
});
