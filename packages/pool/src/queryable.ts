export type Row = Record<string, unknown>;

export interface Result<R extends Row = Row> {
  rows: R[];
  rowCount: number;
  /** What the server says it did, e.g. `SELECT`, `COMMIT`. */
  command: string;
}

export interface QueryOptions {
  /** Keep a named prepared statement for this text on the connection. For the few hot statements. */
  prepare?: boolean;
  /**
   * Settings of the server, by name, for this statement and no other: set in the same round trip, in the transaction that a
   * single statement is, so also behind a pooler. Inside a transaction they hold until it ends. A text with settings is one
   * statement, and one that may run in a transaction.
   */
  settings?: Readonly<Record<string, string>> | undefined;
  /**
   * When it is aborted the promise rejects at once with `query_aborted`, and the statement is cancelled on the server.
   * The connection is lent again only when the server has confirmed that, so nobody else's statement is hit.
   */
  signal?: AbortSignal | undefined;
  /**
   * For reads that may go to a replica (`createReadRouter`): a log position that has to be visible, or `primary`. A pool
   * is one server and does not look at it.
   */
  after?: string | undefined;
}

/** Something SQL can be sent to: a pool, a lane of it, a lease, or a transaction. `Buffer` parameters travel as binary. */
export interface Queryable {
  query<R extends Row = Row>(
    text: string,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<Result<R>>;
}
