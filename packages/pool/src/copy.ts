import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFromStream } from 'pg-copy-streams';
import type { Connection } from './connection.ts';
import type { Queryable } from './queryable.ts';

/** One field in the binary format that the server's type of the column expects; `null` for SQL null. */
export type BinaryField = Buffer | null;
export type BinaryRow = readonly BinaryField[];

export interface CopyTarget {
  /** Qualified and quoted as SQL needs it. */
  table: string;
  columns: readonly { name: string; type: string }[];
}

const namesOf = ({ columns }: CopyTarget) =>
  columns.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(', ');

const flushBytes = 64 * 1024;
const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** The binary COPY format: https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT */
async function* encodeRows(rows: Iterable<BinaryRow> | AsyncIterable<BinaryRow>, count: { rows: number }) {
  let parts: Buffer[] = [signature];
  let bytes = signature.length;
  for await (const row of rows) {
    const head = Buffer.allocUnsafe(2);
    head.writeInt16BE(row.length);
    parts.push(head);
    for (const field of row) {
      const length = Buffer.allocUnsafe(4);
      length.writeInt32BE(field ? field.length : -1);
      parts.push(length);
      if (field) parts.push(field);
      bytes += 4 + (field?.length ?? 0);
    }
    count.rows += 1;
    if (bytes >= flushBytes) {
      yield Buffer.concat(parts);
      parts = [];
      bytes = 0;
    }
  }
  parts.push(Buffer.from([0xff, 0xff]));
  yield Buffer.concat(parts);
}

/** Streams rows by binary COPY. Returns how many. An error of the source or the server aborts the statement. */
export async function copyRows(
  connection: Connection,
  target: CopyTarget,
  rows: Iterable<BinaryRow> | AsyncIterable<BinaryRow>,
  signal?: AbortSignal,
): Promise<number> {
  const count = { rows: 0 };
  const text = `copy ${target.table} (${namesOf(target)}) from stdin with (format binary)`;
  async function send(): Promise<void> {
    const stream = connection.client.query(copyFromStream(text));
    // A server that waits for rows does not look at cancel requests: the stream itself has to end.
    const copying = pipeline(Readable.from(encodeRows(rows, count)), stream, { signal });
    // It may hang on a source that never yields again, long after its connection has gone.
    await connection.untilDead(copying);
  }
  return await connection.run(async () => {
    await connection.observe(text, send, () => count.rows);
    return count.rows;
  }, signal);
}

// The protocol counts parameters in 16 bits.
const maxParameters = 65_535;
const rowsPerStatement = 500;

/**
 * The same rows by multi-row INSERT with binary parameters, for servers that cannot COPY (PGlite): all of them, or none. The
 * transaction holds up everybody else there until the source ends.
 */
export async function insertRows(
  connection: Connection,
  target: CopyTarget,
  rows: Iterable<BinaryRow> | AsyncIterable<BinaryRow>,
  signal?: AbortSignal,
): Promise<number> {
  if (connection.client.getTransactionStatus() !== 'I')
    return await insertBatches(connection, target, rows, signal);
  await connection.query('begin');
  try {
    const total = await insertBatches(connection, target, rows, signal);
    await connection.query('commit');
    return total;
  } catch (error) {
    // What is left open is rolled back before anybody else gets the connection.
    await connection.query('rollback').catch(() => {});
    throw error;
  }
}

async function insertBatches(
  connection: Queryable,
  target: CopyTarget,
  rows: Iterable<BinaryRow> | AsyncIterable<BinaryRow>,
  signal?: AbortSignal,
): Promise<number> {
  const width = target.columns.length;
  const size = Math.min(rowsPerStatement, Math.floor(maxParameters / width));
  const columns = namesOf(target);
  let total = 0;
  let batch: BinaryField[] = [];
  async function flush(): Promise<void> {
    if (batch.length === 0) return;
    const tuples = [];
    for (let start = 0; start < batch.length; start += width) {
      tuples.push(`(${target.columns.map((column, i) => `$${start + i + 1}::${column.type}`).join(', ')})`);
    }
    await connection.query(`insert into ${target.table} (${columns}) values ${tuples.join(', ')}`, batch, {
      signal,
    });
    total += batch.length / width;
    batch = [];
  }
  for await (const row of rows) {
    batch.push(...row);
    if (batch.length >= size * width) await flush();
  }
  await flush();
  return total;
}
