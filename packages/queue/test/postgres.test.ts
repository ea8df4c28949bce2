import { createTestDatabase, describeWithServices } from '@sluice/testing';
import { queueContract } from './queue-contract.ts';

describeWithServices('postgres', 'with a Postgres server', () => {
  queueContract('the queue on Postgres', async () => {
    const database = await createTestDatabase({ migrated: false });
    return {
      backend: { kind: 'postgres', connectionString: database.url },
      // Fails when a producer or consumer has left a connection open.
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    };
  });
});
