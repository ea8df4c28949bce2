import pg from 'pg';
import type { Result, Row } from './queryable.ts';

/** A statement in front of another one. */
export interface Preparation {
  text: string;
  values: readonly unknown[];
  name: string | undefined;
}

export interface Statement {
  text: string;
  values: readonly unknown[];
  name: string | undefined;
  /** Run before it, in the same transaction and round trip. Returns no rows. */
  settings: Preparation | undefined;
  /** Names that the server has to forget first. Costs no round trip: the messages travel together. */
  close: readonly string[];
}

type Done = (error: Error | null, results: pg.QueryResult | pg.QueryResult[]) => void;

/** `pg`'s own query, which its declarations do not let us extend. */
interface Preparable {
  name: string | undefined;
  text: string;
  queryMode: 'extended' | undefined;
  hasBeenParsed(connection: WireConnection): boolean;
  prepare(connection: WireConnection): void;
  submit(connection: WireConnection): Error | null;
  handleCommandComplete(message: unknown, connection: WireConnection): void;
}
interface WireConnection {
  parsedStatements: Record<string, string>;
  submittedNamedStatements: Record<string, string>;
  close(target: { type: 'S'; name: string }): void;
  parse(statement: { text: string; name: string | undefined }): void;
  bind(portal: { statement: string | undefined; values: readonly unknown[] }): void;
  execute(portal: { portal: string }): void;
}
interface Sender {
  query(statement: Preparable): void;
}
// With a text in place of a config, which `pg` would copy property by property: a third of what a short query costs.
const Query = pg.Query as unknown as new (text: string, values: readonly unknown[], done: Done) => Preparable;

/** A query with more in front of it. */
class ArmedQuery extends Query {
  readonly #close: readonly string[];
  /** Until the server has run it. */
  #settings: Preparation | undefined;

  constructor({ text, values, close, settings }: Statement, done: Done) {
    super(text, values, done);
    this.#close = close;
    this.#settings = settings;
    // A simple query is a message of its own, and its transaction ends with it.
    if (settings) this.queryMode = 'extended';
  }

  override submit(connection: WireConnection): Error | null {
    // Before `pg` compares texts, or looks whether it has parsed this one.
    for (const name of this.#close) delete connection.parsedStatements[name];
    return super.submit(connection);
  }

  override prepare(connection: WireConnection): void {
    for (const name of this.#close) connection.close({ type: 'S', name });
    if (this.#settings) this.#set(connection, this.#settings);
    super.prepare(connection);
  }

  /** Everything up to the next Sync is one transaction, so what is set locally holds for the statement and for nothing else. */
  #set(connection: WireConnection, { text, values, name }: Preparation): void {
    // `pg` takes the first statement that the server reports as parsed for its own.
    if (this.name && !this.hasBeenParsed(connection)) {
      connection.parse({ text: this.text, name: this.name });
      connection.submittedNamedStatements[this.name] = this.text;
    }
    if (!name || connection.parsedStatements[name] === undefined) connection.parse({ text, name });
    connection.bind({ statement: name, values });
    connection.execute({ portal: '' });
  }

  override handleCommandComplete(message: unknown, connection: WireConnection): void {
    const settings = this.#settings;
    if (!settings) super.handleCommandComplete(message, connection);
    else if (settings.name) connection.parsedStatements[settings.name] = settings.text;
    this.#settings = undefined;
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
      statement.close.length > 0 || statement.settings
        ? new ArmedQuery(statement, done)
        : new Query(statement.text, statement.values, done);
    query.name = statement.name;
    (client as unknown as Sender).query(query);
  });
}
