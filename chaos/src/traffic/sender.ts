import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '@sluice/testing';
import type { DocumentPlan } from '../corpus/corpus.ts';
import type { Ledger, SentDocument } from '../ledger.ts';
import type { Client } from './client.ts';
import { type OperationName, operate } from './operations.ts';

export interface SenderOptions {
  client: Client;
  ledger: Ledger;
  plans: readonly DocumentPlan[];
  seed: number;
  /** Documents that something is done with at the same time. */
  senders: number;
  /** Uploads that are accepted and not final. */
  unfinished: () => number;
  /** From so many on nothing is sent, so that what was sent gets its turn while others still die. */
  backlog: number;
}

export interface Sender {
  readonly done: ReadonlyMap<OperationName, number>;
  /** Begins nothing new; resolves when all that was begun is answered. Throws what a sender has thrown. */
  stop(): Promise<void>;
}

export function startSender(options: SenderOptions): Sender {
  const { client, ledger, plans, seed, unfinished, backlog } = options;
  const done = new Map<OperationName, number>();
  const busy = new Set<number>();
  const order = createRandom(seed, 'order of documents');
  const randoms = plans.map(({ key }) => createRandom(seed, `operations on ${key}`));
  let number = 0;
  let stopping = false;

  function takeDocument(): number {
    for (;;) {
      const at = order.between(0, plans.length - 1);
      if (!busy.has(at)) return at;
    }
  }

  async function run(): Promise<void> {
    while (!stopping) {
      if (unfinished() >= backlog) {
        await sleep(50);
        continue;
      }
      const at = takeDocument();
      busy.add(at);
      const name = await operate({
        client,
        ledger,
        random: randoms[at] as (typeof randoms)[number],
        document: ledger.documents[at] as SentDocument,
        plan: plans[at] as DocumentPlan,
        nextNumber: () => ++number,
      }).finally(() => busy.delete(at));
      done.set(name, (done.get(name) ?? 0) + 1);
    }
  }

  const senders = Math.min(options.senders, Math.ceil(plans.length / 2));
  const running = Promise.all(Array.from({ length: senders }, run));
  running.catch(() => {});
  return {
    done,
    async stop() {
      stopping = true;
      await running;
    },
  };
}
