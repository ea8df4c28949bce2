import { userInfo } from 'node:os';
import type { Environment } from '@sluice/config';
import { createPool, type Transaction } from '@sluice/pool';
import {
  type ApiKey,
  createApiKey,
  isMigrated,
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

// By name and code, so that the package need not be loaded where there is a server.
const isInUse = (error: unknown) => (error as { code?: unknown }).code === 'data_folder_in_use';

function throughGateway(cause: Error): CliError {
  return new CliError('request_refused', cause.message, {
    cause,
    advice: ['Or go through the gateway that runs on it: --url http://127.0.0.1:3000'],
  });
}

function unreachable(cause: Error): CliError {
  return new CliError('database_unreachable', `the database does not answer: ${cause.message}`, {
    cause,
    advice: ['Is it running, and is DATABASE_URL right?'],
  });
}

function missing(id: string): CliError {
  return new CliError('request_refused', `no key that can be used has the id ${id}`, {
    advice: ['`sluice keys list --all` shows all of them.'],
  });
}

/** Whoever can write to the database may make keys, so there is no other check, and no gateway is needed: also for the first key. */
export async function openDatabaseDesk(environment: Environment): Promise<KeyDesk> {
  const { config, embedded } = await openDatabase(environment).catch((error) => {
    throw isInUse(error) ? throughGateway(error) : error;
  });
  const pool = createPool({
    ...config.pool,
    connectionString: config.databaseUrl as string,
    size: 1,
    maxOverflow: 0,
    minIdle: 0,
    applicationName: 'sluice-keys',
  });
  async function close(): Promise<void> {
    await pool.drain();
    await embedded?.stop();
  }
  const migrated = await isMigrated(pool).catch(async (error) => {
    await close();
    throw unreachable(error);
  });
  if (!migrated) {
    await close();
    throw new CliError('request_refused', 'the schema of the database is not up to date', {
      advice: ['Run `sluice migrate` first.'],
    });
  }
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
    [Symbol.asyncDispose]: close,
  };
}
