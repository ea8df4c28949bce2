import { startEmbeddedDatabase } from '@sluice/testing';
import { queueContract } from './queue-contract.ts';

queueContract('the queue on the embedded Postgres, with one session for all connections', async () => {
  const postgres = await startEmbeddedDatabase();
  return {
    backend: { kind: 'postgres', connectionString: postgres.url, sharedSession: true },
    [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
  };
});
