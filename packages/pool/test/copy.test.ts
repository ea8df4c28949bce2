import { describeWithServices } from '@sluice/testing';
import { expect, test } from 'vitest';
import { type BinaryRow, createPool, type Pool } from '../src/index.ts';
import { useDatabase } from './support/database.ts';

function fixed(bytes: number, write: (buffer: Buffer) => void): Buffer {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
}
const int4 = (value: number) => fixed(4, (buffer) => buffer.writeInt32BE(value));
const jsonb = (value: unknown) => Buffer.concat([Buffer.of(1), Buffer.from(JSON.stringify(value))]);

const columns = [
  { name: 'id', type: 'int4' },
  { name: 'big', type: 'int8' },
  { name: 'ratio', type: 'float8' },
  { name: 'flag', type: 'bool' },
  { name: 'words', type: 'text' },
  { name: 'raw', type: 'bytea' },
  { name: 'key', type: 'uuid' },
  { name: 'doc', type: 'jsonb' },
];
const definition = columns.map(({ name, type }) => `${name} ${type}`).join(', ');
const uuid = '018f3c5e-0000-7000-8000-0123456789ab';

function fullRow(id: number): BinaryRow {
  return [
    int4(id),
    fixed(8, (buffer) => buffer.writeBigInt64BE(BigInt(id) * 1_000_000_000_000n)),
    fixed(8, (buffer) => buffer.writeDoubleBE(id / 3)),
    Buffer.of(id % 2),
    Buffer.from(`đấu thầu ${id} "',\\\t\n`),
    Buffer.from([0, 255, id % 256]),
    Buffer.from(uuid.replaceAll('-', ''), 'hex'),
    jsonb({ id, nested: ['ệ'] }),
  ];
}
const expected = (id: number) => ({
  id,
  big: id * 1_000_000_000_000,
  ratio: id / 3,
  flag: id % 2 === 1,
  words: `đấu thầu ${id} "',\\\t\n`,
  raw: Buffer.from([0, 255, id % 256]),
  key: uuid,
  doc: { id, nested: ['ệ'] },
});

describeWithServices('postgres', 'copying rows', () => {
  const database = useDatabase();
  const create = (): Pool => createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });

  test('stores every type as it is, nulls and empty values too', async () => {
    await using pool = create();
    await pool.query(`create table typed (${definition})`);
    const nulls = [int4(2), ...Array.from({ length: 7 }, () => null)];
    const empty = [int4(3), null, null, null, Buffer.alloc(0), Buffer.alloc(0), null, jsonb('')];
    const count = await pool.lane('bulk').copyFrom({ table: 'typed', columns }, [fullRow(1), nulls, empty]);
    expect(count).toBe(3);
    const { rows } = await pool.query('select * from typed order by id');
    const none = { big: null, ratio: null, flag: null, words: null, raw: null, key: null, doc: null };
    expect(rows).toEqual([
      expected(1),
      { ...none, id: 2 },
      { ...none, id: 3, words: '', raw: Buffer.alloc(0), doc: '' },
    ]);
  });

  test('streams more rows than fit one packet from an asynchronous source', async () => {
    await using pool = create();
    await pool.query(`create table streamed (${definition})`);
    async function* rows() {
      for (let id = 0; id < 5_000; id += 1) yield fullRow(id);
    }
    expect(await pool.lane('bulk').copyFrom({ table: 'streamed', columns }, rows())).toBe(5_000);
    const sums = await pool.query(
      'select count(*) as n, sum(id) as total, count(distinct words) as texts from streamed',
    );
    expect(sums.rows).toEqual([{ n: 5_000, total: (5_000 * 4_999) / 2, texts: 5_000 }]);
  });

  test('of no rows at all stores nothing', async () => {
    await using pool = create();
    await pool.query('create table none_given (id int)');
    const target = { table: 'none_given', columns: [{ name: 'id', type: 'int4' }] };
    expect(await pool.lane('bulk').copyFrom(target, [])).toBe(0);
  });

  test('whose source fails stores nothing and keeps the connection', async () => {
    await using pool = create();
    await pool.query('create table half (id int)');
    const { rows: before } = await pool.query('select pg_backend_pid() as pid');
    function* rows(): Generator<BinaryRow> {
      for (let id = 0; id < 20_000; id += 1) yield [int4(id)];
      throw new Error('the source broke');
    }
    const target = { table: 'half', columns: [{ name: 'id', type: 'int4' }] };
    await expect(pool.lane('bulk').copyFrom(target, rows())).rejects.toThrow('the source broke');
    expect((await pool.query('select count(*) as n from half')).rows).toEqual([{ n: 0 }]);
    expect((await pool.query('select pg_backend_pid() as pid')).rows).toEqual(before);
  });

  test('that the server refuses throws its error and keeps the connection', async () => {
    await using pool = create();
    await pool.query('create table strict (id int primary key)');
    const target = { table: 'strict', columns: [{ name: 'id', type: 'int4' }] };
    const twice = [[int4(1)], [int4(1)]];
    await expect(pool.lane('bulk').copyFrom(target, twice)).rejects.toMatchObject({ code: '23505' });
    const misshapen = [[Buffer.from('abc')]];
    await expect(pool.lane('bulk').copyFrom(target, misshapen)).rejects.toMatchObject({ code: '08P01' });
    expect((await pool.query('select count(*) as n from strict')).rows).toEqual([{ n: 0 }]);
    expect(pool.status().invalid).toBe(0);
  });

  test('inside a transaction is undone with it', async () => {
    await using pool = create();
    await pool.query('create table undone (id int)');
    const target = { table: 'undone', columns: [{ name: 'id', type: 'int4' }] };
    const run = pool.lane('bulk').transaction(async (transaction) => {
      expect(await transaction.copyFrom(target, [[int4(1)], [int4(2)]])).toBe(2);
      throw new Error('no');
    });
    await expect(run).rejects.toThrow('no');
    expect((await pool.query('select * from undone')).rows).toEqual([]);
  });

  test('into columns with any name takes the name for a name', async () => {
    await using pool = create();
    await pool.query('create table odd (id int, "a""b; drop table odd" int)');
    const odd = [
      { name: 'id', type: 'int4' },
      { name: 'a"b; drop table odd', type: 'int4' },
    ];
    expect(await pool.copyFrom('bulk', { table: 'odd', columns: odd }, [[int4(1), int4(2)]])).toBe(1);
    expect((await pool.query('select * from odd')).rows).toEqual([{ id: 1, 'a"b; drop table odd': 2 }]);
  });
});
