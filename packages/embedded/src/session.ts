import type { PGlite } from '@electric-sql/pglite';
import { type BackendAnswer, readAnswer } from './backend-messages.ts';

/**
 * PGlite has ONE backend session for all clients. An exchange is what a client sends up to a Sync, a Flush or a simple
 * Query; it runs alone, because unnamed statements and portals of two clients would otherwise replace each other. Who has
 * left the session inside a transaction, or inside an extended exchange, owns it until that ends.
 */
export interface Session {
  /** Runs the messages of one exchange. `holds`: the exchange goes on (it ended in a Flush). */
  run(owner: object, messages: readonly Buffer[], holds: boolean): Promise<BackendAnswer>;
  /** The client is gone: what it waits for is dropped, and its transaction is rolled back. */
  leave(owner: object): Promise<void>;
}

interface Job {
  owner: object;
  work: () => Promise<void>;
}

export function createSession(db: PGlite): Session {
  const queue: Job[] = [];
  let owner: object | undefined;
  let running = false;

  async function pump(): Promise<void> {
    if (running) return;
    running = true;
    for (;;) {
      const index = owner ? queue.findIndex((job) => job.owner === owner) : 0;
      const [job] = index < 0 ? [] : queue.splice(index, 1);
      if (!job) break;
      await job.work();
    }
    running = false;
  }

  async function send(messages: readonly Buffer[]): Promise<BackendAnswer> {
    const output: Buffer[] = [];
    await db.runExclusive(async () => {
      for (const message of messages) {
        await db.execProtocolRawStream(message, { onRawData: (data) => output.push(Buffer.from(data)) });
      }
    });
    return readAnswer(Buffer.concat(output));
  }

  return {
    run(client, messages, holds) {
      return new Promise((resolve, reject) => {
        queue.push({
          owner: client,
          async work() {
            try {
              const answer = await send(messages);
              owner = holds || answer.status === 'T' || answer.status === 'E' ? client : undefined;
              resolve(answer);
            } catch (error) {
              owner = undefined;
              reject(error);
            }
          },
        });
        void pump();
      });
    },
    async leave(client) {
      for (let i = queue.length - 1; i >= 0; i -= 1) {
        if (queue[i]?.owner === client) queue.splice(i, 1);
      }
      if (owner !== client) return;
      queue.unshift({
        owner: client,
        async work() {
          // A Sync first: it ends an extended exchange that was cut off half-way.
          await send([Buffer.from([0x53, 0, 0, 0, 4])]).catch(() => {});
          await db.exec('rollback').catch(() => {});
          owner = undefined;
        },
      });
      await pump();
    },
  };
}
