import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@sluice/embedded';
import { queueContract } from './queue-contract.ts';

queueContract('the queue on the embedded Postgres, with one session for all connections', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-queue-'));
  const postgres = await startEmbeddedPostgres({ dataDir });
  return {
    backend: { kind: 'postgres', connectionString: postgres.url, sharedSession: true },
    async [Symbol.asyncDispose]() {
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
});
