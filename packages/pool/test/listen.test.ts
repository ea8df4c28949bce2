import { describeWithServices } from '@sluice/testing';
import { expect, test, vi } from 'vitest';
import { createPool } from '../src/index.ts';
import { withObserver } from './support/backends.ts';
import { useDatabase } from './support/database.ts';

describeWithServices('postgres', 'listening', () => {
  const database = useDatabase();

  test('delivers what other connections announce, in order, and nothing of other channels', async () => {
    await using pool = createPool({ connectionString: database.url });
    const payloads: string[] = [];
    const listener = pool.listen('news', (payload) => payloads.push(payload));
    await vi.waitFor(() => expect(payloads).toEqual(['']));
    await pool.query("select pg_notify('other', 'x')");
    for (const payload of ['1', 'hai', '3']) await pool.query('select pg_notify($1, $2)', ['news', payload]);
    await vi.waitFor(() => expect(payloads).toEqual(['', '1', 'hai', '3']));
    await listener.close();
  });

  test('takes no connection out of the share of the borrowers', async () => {
    await using pool = createPool({ connectionString: database.url, size: 1, maxOverflow: 0 });
    const payloads: string[] = [];
    const listener = pool.listen('unshared', (payload) => payloads.push(payload));
    await vi.waitFor(() => expect(payloads).toEqual(['']));
    await using _held = await pool.lane('interactive').acquire();
    expect(pool.status()).toMatchObject({ checked_out: 1, checked_in: 0, overflow: 0, listening: 1 });
    await listener.close();
  });

  test('begins again after its backend was killed, and says that something may have been missed', async () => {
    await using pool = createPool({ connectionString: database.url, applicationName: 'listening' });
    const payloads: string[] = [];
    const listener = pool.listen('news', (payload) => payloads.push(payload));
    await vi.waitFor(() => expect(payloads).toEqual(['']));
    await withObserver(database.url, async ({ backends, terminate }) => {
      for (const { pid } of await backends('listening')) await terminate(pid);
    });
    await vi.waitFor(() => expect(payloads).toEqual(['', '']), { timeout: 5_000 });
    await pool.query("select pg_notify('news', 'after')");
    await vi.waitFor(() => expect(payloads).toEqual(['', '', 'after']));
    await listener.close();
  });

  test('ends with the pool when nobody closed it', async () => {
    const pool = createPool({ connectionString: database.url, applicationName: 'forgotten-listener' });
    const payloads: string[] = [];
    pool.listen('news', (payload) => payloads.push(payload));
    await vi.waitFor(() => expect(payloads).toEqual(['']));
    await pool.drain();
    await withObserver(database.url, ({ backends }) =>
      vi.waitFor(async () => expect(await backends('forgotten-listener')).toEqual([])),
    );
  });
});
