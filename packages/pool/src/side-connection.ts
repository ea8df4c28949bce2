import type { Connection } from './connection.ts';
import { parseTarget } from './hosts.ts';
import { createOpener } from './open-connection.ts';
import { resolvePoolOptions } from './options.ts';
import type { Queryable } from './queryable.ts';

/** One connection beside any pool, opened when it is first used and again after it was lost. Lends itself to one at a time. */
export interface SideConnection {
  run<T>(use: (connection: Pick<Queryable, 'query'>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const answerWithinMs = 2_000;

export function createSideConnection(connectionString: string, applicationName: string): SideConnection {
  const options = resolvePoolOptions({
    connectionString,
    applicationName,
    maxStatements: 0,
    connectTimeoutMs: 5_000,
  });
  const opener = createOpener(parseTarget(connectionString), options);
  let connection: Connection | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function use<T>(work: (connection: Pick<Queryable, 'query'>) => Promise<T>): Promise<T> {
    const own = connection?.usable ? connection : await opener.open(() => {});
    connection = own;
    // One that has fallen silent would hold up all that come after it.
    const silent = setTimeout(() => own.giveUp(), answerWithinMs);
    try {
      return await own.untilDead(work(own));
    } finally {
      clearTimeout(silent);
    }
  }

  return {
    run(work) {
      const turn = last.then(() => use(work));
      last = turn.catch(() => {});
      return turn;
    },
    async close() {
      await connection?.close();
      // What was under way may have opened another one.
      await last;
      await connection?.close();
      connection = undefined;
    },
  };
}
