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
    connection = connection?.usable ? connection : await opener.open(() => {});
    return await work(connection);
  }

  return {
    run(work) {
      const turn = last.then(() => use(work));
      last = turn.catch(() => {});
      return turn;
    },
    async close() {
      await last;
      await connection?.close();
      connection = undefined;
    },
  };
}
