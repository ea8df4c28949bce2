import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { encodeVector } from '@sluice/store';
import { from as copyFromStream } from 'pg-copy-streams';
import type { Ours } from './ours.ts';
import type { Peer } from './pg-pool.ts';

/** Without an index, like the table in which chunks are staged. */
export const bulkTable = 'bulk_vectors';
const dimensions = 384;
export const rowsPerCopy = 500;

export const createBulkTable = `create table ${bulkTable} (id int4 not null, embedding vector(${dimensions}) not null)`;

type Rows = readonly (readonly [Buffer, Buffer])[];

/** What one COPY brings. */
export const bulkRows: Rows = Array.from({ length: rowsPerCopy }, (_, i) => {
  const id = Buffer.alloc(4);
  id.writeInt32BE(i);
  return [id, encodeVector(Float32Array.from({ length: dimensions }, () => Math.random()))] as const;
});

/** One transaction of `bulkRows`. */
export type Copy = () => Promise<unknown>;

export function copyWithOurs({ pool }: Ours, lane: string): Copy {
  const target = {
    table: bulkTable,
    columns: [
      { name: 'id', type: 'int4' },
      { name: 'embedding', type: 'vector' },
    ],
  };
  return () => pool.copyFrom(lane, target, bulkRows);
}

export function copyWithPgPool({ pool }: Peer): Copy {
  return async () => {
    const client = await pool.connect();
    try {
      const stream = client.query(
        copyFromStream(`copy ${bulkTable} (id, embedding) from stdin with (format binary)`),
      );
      await pipeline(Readable.from(encode(bulkRows)), stream);
    } finally {
      client.release();
    }
  };
}

const flushBytes = 64 * 1024;
const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** The same work for the same bytes that ours does: https://www.postgresql.org/docs/current/sql-copy.html */
function* encode(rows: Rows): Generator<Buffer> {
  let parts: Buffer[] = [signature];
  let bytes = signature.length;
  for (const row of rows) {
    const head = Buffer.allocUnsafe(2);
    head.writeInt16BE(row.length);
    parts.push(head);
    for (const field of row) {
      const length = Buffer.allocUnsafe(4);
      length.writeInt32BE(field.length);
      parts.push(length, field);
      bytes += 4 + field.length;
    }
    if (bytes >= flushBytes) {
      yield Buffer.concat(parts);
      parts = [];
      bytes = 0;
    }
  }
  parts.push(Buffer.from([0xff, 0xff]));
  yield Buffer.concat(parts);
}
