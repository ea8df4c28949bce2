import pg from 'pg';
import type { Result, Row } from './queryable.ts';

export interface Statement {
  text: string;
  values: readonly unknown[];
  name: string | undefined;
  /** Names that the server has to forget first. Costs no round trip: the messages travel together. */
  close: readonly string[];
}

/** `pg`'s own query, which its declarations do not let us extend. */
interface Preparable {
  prepare(connection: WireConnection): void;
  submit(connection: WireConnection): Error | null;
}
interface WireConnection {
  parsedStatements: Record<string, string>;
  close(target: { type: 'S'; name: string }): void;
}
interface Sender {
  query(statement: Preparable, done: unknown): void;
}
const Query = pg.Query as unknown as new (config: object) => Preparable;

class NamedQuery extends Query {
  readonly #close: readonly string[];

  constructor({ text, values, name, close }: Statement) {
    super({ text, values: values as unknown[], name });
    this.#close = close;
  }

  override submit(connection: WireConnection): Error | null {
    // Before `pg` compares texts, or looks whether it has parsed this one.
    for (const name of this.#close) delete connection.parsedStatements[name];
    return super.submit(connection);
  }

  override prepare(connection: WireConnection): void {
    for (const name of this.#close) connection.close({ type: 'S', name });
    super.prepare(connection);
  }
}

/** Sends one statement and resolves with its result. A text of several statements gives the result of the last one. */
export function send<R extends Row>(client: pg.Client, statement: Statement): Promise<Result<R>> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, results: pg.QueryResult<R> | pg.QueryResult<R>[]) => {
      if (error) {
        // The stack of an error from the wire leads to the socket and to nobody's code.
        Error.captureStackTrace(error);
        return reject(error);
      }
      const result = Array.isArray(results) ? (results.at(-1) as pg.QueryResult<R>) : results;
      resolve({ rows: result.rows, rowCount: result.rowCount ?? 0, command: result.command });
    };
    (client as unknown as Sender).query(new NamedQuery(statement), done);
  });
}
