import { setTimeout as sleep } from 'node:timers/promises';
import { createPool, type Pool } from '@sluice/pool';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/index.ts';
import { createFolder } from './support/folder.ts';
import { connectRaw } from './support/wire-client.ts';

describe('clients of one embedded Postgres', () => {
  let folder: Awaited<ReturnType<typeof createFolder>>;
  let postgres: EmbeddedPostgres;
  beforeAll(async () => {
    folder = await createFolder();
    postgres = await startEmbeddedPostgres({ dataDir: folder.path });
  });
  afterAll(async () => {
    await postgres.stop();
    await folder[Symbol.asyncDispose]();
  });
  const create = (size = 4): Pool =>
    createPool({ connectionString: postgres.url, size, maxOverflow: 0, sharedSession: true });

  test('never get each other’s results, with large parameters on many connections at once', async () => {
    const pools = Array.from({ length: 12 }, () => create(1));
    await Promise.all(
      pools.map(async (pool, client) => {
        for (let statement = 0; statement < 30; statement += 1) {
          const mark = `${client}/${statement}`;
          const large = mark.padEnd(300_000, 'x');
          const { rows } = await pool.query(
            'select $1::text as mark, length($2::text) as length, $2::text as large',
            [mark, large],
          );
          expect(rows[0]?.mark).toBe(mark);
          expect(rows[0]?.length).toBe(300_000);
          expect(rows[0]?.large === large).toBe(true);
        }
      }),
    );
    await Promise.all(pools.map((pool) => pool.drain()));
  });

  test('keep their transactions apart', async () => {
    await using pool = create();
    await pool.query('create table counter as select 0 as n');
    await Promise.all(
      Array.from({ length: 20 }, () =>
        pool.lane('interactive').transaction(async (transaction) => {
          const { rows } = await transaction.query<{ n: number }>('select n from counter');
          await transaction.query('update counter set n = $1::int', [(rows[0]?.n ?? 0) + 1]);
        }),
      ),
    );
    expect((await pool.query('select n from counter')).rows).toEqual([{ n: 20 }]);
  });

  test('set what holds for one statement of theirs only', async () => {
    await using pool = create();
    const shown = (effort?: number) =>
      pool.query<{ effort: string | null }>(
        "select current_setting('sluice.effort', true) as effort",
        [],
        effort === undefined ? {} : { settings: { 'sluice.effort': String(effort) } },
      );
    const efforts = Array.from({ length: 60 }, (_, i) => (i % 2 ? i : undefined));
    const answers = await Promise.all(efforts.map(shown));
    answers.forEach(({ rows }, i) => {
      expect(rows[0]?.effort || undefined).toBe(efforts[i]?.toString());
    });
  });

  test('get notifications of each other', async () => {
    await using pool = create();
    await using other = create(1);
    const payloads: string[] = [];
    pool.listen('news', (payload) => payloads.push(payload));
    await vi.waitFor(() => expect(payloads).toEqual(['']));
    await other.query("select pg_notify('news', 'tin mới')");
    await other.query("select pg_notify('elsewhere', 'x')");
    await other.query("notify news, 'again'");
    await vi.waitFor(() => expect(payloads).toEqual(['', 'tin mới', 'again']));
  });

  test.each([
    'listen commented',
    '  \n\tLISTEN commented',
    '-- why\nlisten commented',
    '/* why */ listen commented',
    '/* one */ -- two\n /* three\n */ listen "commented"',
  ])('get them for %j', async (sql) => {
    await using pool = create(1);
    const listener = await connectRaw(postgres.url);
    listener.query(sql);
    await listener.waitFor('LISTEN');
    await pool.query("select pg_notify('commented', 'heard you')");
    await listener.waitFor('heard you');
    listener.socket.destroy();
  });

  test('get none that was announced in a transaction that is rolled back', async () => {
    await using pool = create();
    const payloads: string[] = [];
    pool.listen('undone', (payload) => payloads.push(payload));
    await vi.waitFor(() => expect(payloads).toEqual(['']));
    const run = pool.lane('interactive').transaction(async (transaction) => {
      await transaction.query("select pg_notify('undone', 'no')");
      throw new Error('no');
    });
    await expect(run).rejects.toThrow('no');
    await pool.query("select pg_notify('undone', 'yes')");
    await vi.waitFor(() => expect(payloads).toEqual(['', 'yes']));
  });

  test('do not wait for one that disappeared inside a transaction, nor see its changes', async () => {
    await using pool = create();
    await pool.query('create table abandoned (id int)');
    const gone = await connectRaw(postgres.url);
    gone.query('begin');
    await gone.waitFor('BEGIN');
    gone.query('insert into abandoned values (1)');
    await gone.waitFor('INSERT');
    const waiting = pool.query('select count(*) as n from abandoned');
    await sleep(50);
    gone.socket.destroy();
    expect((await waiting).rows).toEqual([{ n: 0 }]);
  });

  test('do not wait for one that disappeared in the middle of an extended exchange', async () => {
    await using pool = create();
    const gone = await connectRaw(postgres.url);
    // Parse and Flush: the session is this client's until a Sync that never comes.
    gone.socket.write(
      Buffer.concat([
        Buffer.from('P\0\0\0\x10\0select 1\0\0\0', 'latin1'),
        Buffer.from('H\0\0\0\x04', 'latin1'),
      ]),
    );
    await gone.waitFor('1\0\0\0\x04');
    const waiting = pool.query('select 2 as two');
    await sleep(50);
    gone.socket.destroy();
    expect((await waiting).rows).toEqual([{ two: 2 }]);
  });

  test('that send nonsense lose their connection and nobody else’s', async () => {
    await using pool = create();
    const nonsense = await connectRaw(postgres.url);
    nonsense.socket.write(Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]));
    await vi.waitFor(() => expect(nonsense.socket.closed).toBe(true));
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  test('that try to COPY FROM STDIN get a clear error and can go on', async () => {
    const client = await connectRaw(postgres.url);
    client.query('create table copied (id int)');
    await client.waitFor('CREATE TABLE');
    client.query('/* in bulk */ copy copied (id) from stdin with (format binary)');
    await client.waitFor('COPY FROM STDIN is not available in the embedded Postgres');
    expect(client.received()).toContain('C0A000');
    client.query("select 'still ' || 'here'");
    await client.waitFor('still here');
    client.socket.destroy();
  });

  test('do not lose the session to a COPY that was refused inside a transaction', async () => {
    await using pool = create();
    const client = await connectRaw(postgres.url);
    client.query('begin');
    await client.waitFor('BEGIN');
    client.query('copy pg_class from stdin');
    await client.waitFor('is not available');
    client.query('rollback');
    await client.waitFor('ROLLBACK');
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    client.socket.destroy();
  });

  test('store rows of many types by INSERT where others COPY, nulls too', async () => {
    await using pool = create();
    await pool.query(
      'create table typed (id int4, words text[], doc jsonb, key uuid, raw bytea, v vector(3))',
    );
    const int4 = (value: number) => {
      const buffer = Buffer.alloc(4);
      buffer.writeInt32BE(value);
      return buffer;
    };
    const columns = Object.entries({
      id: 'int4',
      words: 'text[]',
      doc: 'jsonb',
      key: 'uuid',
      raw: 'bytea',
      v: 'vector',
    });
    const target = { table: 'typed', columns: columns.map(([name, type]) => ({ name, type })) };
    const words = Buffer.concat([int4(1), int4(0), int4(25), int4(1), int4(1), int4(3), Buffer.from('ế')]);
    const doc = Buffer.concat([Buffer.of(1), Buffer.from('{"a": [1]}')]);
    const key = '018f3c5e-0000-7000-8000-0123456789ab';
    const v = Buffer.concat([
      Buffer.from([0, 3, 0, 0]),
      ...[1, -2, 0.5].map((x) => {
        const buffer = Buffer.alloc(4);
        buffer.writeFloatBE(x);
        return buffer;
      }),
    ]);
    const rows = Array.from({ length: 1_203 }, (_, id) =>
      id === 7
        ? [int4(id), null, null, null, null, null]
        : [int4(id), words, doc, Buffer.from(key.replaceAll('-', ''), 'hex'), Buffer.from([0, id % 256]), v],
    );
    expect(await pool.lane('bulk').copyFrom(target, rows)).toBe(1_203);
    const found = await pool.query(
      'select id, words, doc, key, raw, v::text from typed where id in (7, 1202) order by id',
    );
    expect(found.rows).toEqual([
      { id: 7, words: null, doc: null, key: null, raw: null, v: null },
      { id: 1202, words: ['ế'], doc: { a: [1] }, key, raw: Buffer.from([0, 1202 % 256]), v: '[1,-2,0.5]' },
    ]);
    const sums = await pool.query('select count(*) as n, sum(id) as total from typed');
    expect(sums.rows).toEqual([{ n: 1_203, total: (1_203 * 1_202) / 2 }]);
  });

  test('store nothing of a batch that fails half-way through in a transaction', async () => {
    await using pool = create();
    await pool.query('create table strict (id int4 primary key)');
    const int4 = (value: number) => Buffer.from([0, 0, value >> 8, value & 255]);
    const target = { table: 'strict', columns: [{ name: 'id', type: 'int4' }] };
    const rows = [...Array.from({ length: 700 }, (_, id) => [int4(id)]), [int4(3)]];
    const run = pool.lane('bulk').transaction((transaction) => transaction.copyFrom(target, rows));
    await expect(run).rejects.toMatchObject({ code: '23505' });
    expect((await pool.query('select count(*) as n from strict')).rows).toEqual([{ n: 0 }]);
  });
});
