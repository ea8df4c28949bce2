import { EmbeddingError } from '@sluice/embeddings';
import { ExtractionError } from '@sluice/extraction';
import { createPool, PoolError } from '@sluice/pool';
import { describeWithServices, freePort, testServices } from '@sluice/testing';
import { describe, expect, test } from 'vitest';
import { IngestionError } from '../src/errors.ts';
import { describeFailure } from '../src/failure.ts';

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('what a failure means for its upload', () => {
  test.each([
    [new ExtractionError('broken_document', 'x'), 'broken_document', false],
    [new ExtractionError('encrypted_document', 'x'), 'encrypted_document', false],
    [new ExtractionError('extraction_crashed', 'x'), 'extraction_crashed', true],
    [new EmbeddingError('authentication_failed', 'x'), 'authentication_failed', false],
    [new EmbeddingError('rate_limited', 'x'), 'rate_limited', true],
    [new IngestionError('document_changed', 'x'), 'document_changed', true],
    [new IngestionError('collection_gone', 'x'), 'collection_gone', false],
    [new PoolError('acquire_timeout', 'x'), 'database_unavailable', true],
    [new TypeError('x is not a function'), 'internal', true],
    ['a thrown text', 'internal', true],
  ])('%s is %s, retryable %s', (error, code, retryable) => {
    expect(describeFailure(error, 'embedding')).toEqual({
      code,
      retryable,
      stage: 'embedding',
      message: error instanceof Error ? error.message : error,
    });
  });

  test('a database that nobody listens for is a transient cause', async () => {
    await using pool = createPool({
      connectionString: `postgresql://nobody@127.0.0.1:${await freePort()}/none`,
      size: 1,
      maxOverflow: 0,
    });
    const error = await failureOf(pool.query('select 1'));
    expect(describeFailure(error, 'publishing')).toMatchObject({
      code: 'database_unavailable',
      retryable: true,
    });
  });
});

describeWithServices('postgres', 'what the database says', () => {
  test.each([
    ['data it refuses is permanent', `select 'x'::text::int`, 'rejected_by_database', false],
    [
      'a constraint is permanent',
      'select null::int from pg_class where (select 1/0) = 1',
      'rejected_by_database',
      false,
    ],
    ['a statement that is wrong is ours, and tried again', 'select from nothing_there', 'internal', true],
  ])('%s', async (_title, sql, code, retryable) => {
    await using pool = createPool({
      connectionString: testServices().databaseUrl as string,
      size: 1,
      maxOverflow: 0,
    });
    const error = await failureOf(pool.query(sql));
    expect(describeFailure(error, 'publishing')).toMatchObject({ code, retryable });
  });
});
