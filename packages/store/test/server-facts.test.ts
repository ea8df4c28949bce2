import { createPool, type Queryable } from '@sluice/pool';
import { createTestDatabase, describeWithServices } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { createServerFacts, readServerFacts, requireSupported } from '../src/index.ts';

describeWithServices('postgres', 'what rarely changes about a server', () => {
  test('is read once, however often and by however many it is asked for, until it is forgotten', async () => {
    await using database = await createTestDatabase();
    const statements: string[] = [];
    await using pool = createPool({
      connectionString: database.url,
      tracer: { query: ({ text }) => void statements.push(text) },
    });
    const facts = createServerFacts(pool);
    const answers = await Promise.all(Array.from({ length: 50 }, () => facts.read()));
    for (let i = 0; i < 50; i += 1) await facts.read();
    expect(statements).toHaveLength(1);
    expect(answers[0]).toEqual(await readServerFacts(pool));
    expect(answers[0]).toMatchObject({
      postgres: expect.stringMatching(/^\d+\.\d+/),
      pgvector: expect.stringMatching(/^0\.\d+\.\d+$/),
      maxConnections: expect.any(Number),
    });
    expect(() => requireSupported(answers[0]!)).not.toThrow();
    statements.length = 0;
    facts.forget();
    await facts.read();
    await facts.read();
    expect(statements).toHaveLength(1);
  });

  test('is read again when it has become old, and after a read that failed', async () => {
    let reads = 0;
    const flaky: Queryable = {
      async query() {
        reads += 1;
        if (reads === 1) throw new Error('the server is away');
        return { rows: [{ postgres: '18.6' } as never], rowCount: 1, command: 'SELECT' };
      },
    };
    const facts = createServerFacts(flaky, { maxAgeMs: 50 });
    await expect(facts.read()).rejects.toThrow('away');
    await facts.read();
    expect(reads).toBe(2);
    await expect.poll(() => facts.read().then(() => reads)).toBe(3);
  });
});

describe('a server that is too old', () => {
  const current = { postgres: '18.6 (Debian 18.6-1)', pgvector: '0.8.7', maxConnections: 100 };

  test.each([
    [{ postgres: '14.9' }, 'unsupported_server', /Postgres 14\.9, and 15 or newer/],
    [{ postgres: '9.6.24' }, 'unsupported_server', /Postgres 9\.6\.24/],
    [
      { pgvector: '0.7.4' },
      'unsupported_server',
      /pgvector 0\.7\.4, and 0\.8 or newer.*alter extension vector update/,
    ],
    [{ pgvector: null }, 'missing_extension', /create extension vector/],
  ])('is refused with what to do: %o', (change, code, message) => {
    expect(() => requireSupported({ ...current, ...change })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test.each([
    {},
    { postgres: '15.0' },
    { postgres: '19beta1' },
    { pgvector: '0.8.0' },
    { pgvector: '0.10.0' },
    { pgvector: '1.0' },
  ])('is not one that is new enough: %o', (change) => {
    expect(() => requireSupported({ ...current, ...change })).not.toThrow();
  });
});
