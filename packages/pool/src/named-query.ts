import pg from 'pg';
import type { Result, Row } from './queryable.ts';

export interface Statement {
  text: string;
  values: readonly unknown[];
  name: string | undefined;
  /** Names that the server has to forget first. Costs no round trip: the messages travel together. */
  close: readonly string[];
}

type Done = (error: Error | null, results: pg.QueryResult | pg.QueryResult[]) => void;

/** `pg`'s own query, which its declarations do not let us extend. */
interface Preparable {
  name: string | undefined;
  prepare(connection: WireConnection): void;
  submit(connection: WireConnection): Error | null;
}
interface WireConnection {
  parsedStatements: Record<string, string>;
  close(target: { type: 'S'; name: string }): void;
}
interface Sender {
  query(statement: Preparable): void;
}
// With a text in place of a config, which `pg` would copy property by property: a third of what a short query costs.
const Query = pg.Query as unknown as new (text: string, values: readonly unknown[], done: Done) => Preparable;

class ClosingQuery extends Query {
  readonly #close: readonly string[];

  constructor({ text, values, close }: Statement, done: Done) {
    super(text, values, done);
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

/**
 * Sends one statement and resolves with its result. A text of several statements gives the result of the last one. What
 * `recover` returns for an error takes its place; undefined lets it through.
 */
export function send<R extends Row>(
  client: pg.Client,
  statement: Statement,
  recover?: (error: Error) => Promise<Result<R>> | undefined,
): Promise<Result<R>> {
  return new Promise((resolve, reject) => {
    const done: Done = (error, results) => {
      if (error) {
        const recovered = recover?.(error);
        return recovered ? resolve(recovered) : reject(error);
      }
      const { rows, rowCount, command } = Array.isArray(results)
        ? (results.at(-1) as pg.QueryResult)
        : results;
      // An empty text is answered by no command.
      resolve({ rows, rowCount: rowCount ?? 0, command: command ?? '' });
    };
    const query =
      statement.close.length > 0
        ? new ClosingQuery(statement, done)
        : new Query(statement.text, statement.values, done);
    query.name = statement.name;
    (client as unknown as Sender).query(query);
  });
}
