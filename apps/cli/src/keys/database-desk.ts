import { userInfo } from 'node:os';
import type { Environment } from '@sluice/config';
import { createPool, type Transaction } from '@sluice/pool';
import {
  type ApiKey,
  createApiKey,
  listApiKeys,
  presentApiKey,
  readNewApiKey,
  recordAudit,
  revokeApiKey,
  rotateApiKey,
} from '@sluice/store';
import { openDatabase } from '../database.ts';
import { CliError } from '../errors.ts';
import type { KeyDesk } from './key-desk.ts';

function missing(id: string): CliError {
  return new CliError('request_refused', `no key that can be used has the id ${id}`, {
    advice: ['`sluice keys list --all` shows all of them.'],
  });
}

/** Whoever can write to the database may make keys, so there is no other check, and no gateway is needed: also for the first key. */
export async function openDatabaseDesk(environment: Environment): Promise<KeyDesk> {
  const { config, embedded } = await openDatabase(environment);
  const pool = createPool({
    ...config.pool,
    connectionString: config.databaseUrl as string,
    size: 1,
    maxOverflow: 0,
    minIdle: 0,
    applicationName: 'sluice-keys',
  });
  const who = `command line (${userInfo().username})`;

  function audited<K extends ApiKey>(
    action: string,
    work: (transaction: Transaction) => Promise<K | undefined>,
  ): Promise<K | undefined> {
    return pool.lane('control').transaction(async (transaction) => {
      const key = await work(transaction);
      if (!key) return undefined;
      const { id: target, name, scopes, collections } = key;
      const details = { name, scopes, collections };
      const by = { keyId: null, keyName: who, address: null, requestId: null };
      await recordAudit(transaction, { action, target, details, ...by });
      return key;
    });
  }
  return {
    async create(body) {
      const made = await audited('key.create', (transaction) =>
        createApiKey(transaction, readNewApiKey(body, 'command line')),
      );
      if (!made) throw new Error('a key that is made is there');
      return { ...presentApiKey(made), key: made.key };
    },
    list: async () => (await listApiKeys(pool)).map(presentApiKey),
    async revoke(id) {
      const revoked = await audited('key.revoke', (transaction) => revokeApiKey(transaction, id));
      if (!revoked) throw missing(id);
      return presentApiKey(revoked);
    },
    async rotate(id, graceSeconds) {
      const rotated = await audited('key.rotate', (transaction) =>
        rotateApiKey(transaction, id, graceSeconds * 1_000),
      );
      if (!rotated) throw missing(id);
      return { ...presentApiKey(rotated), key: rotated.key };
    },
    async [Symbol.asyncDispose]() {
      await pool.drain();
      await embedded?.stop();
    },
  };
}
