import { newCollectionSchema } from '@sluice/contract';
import { createCollection, createFirstApiKey, recordAudit, StoreError } from '@sluice/store';
import { completeCollection } from './embedding-defaults.ts';
import type { Services } from './services.ts';

const retryMs = 1_000;

/** The collection that requests mean when they name none. */
export async function ensureDefaultCollection({
  pool,
  catalog,
  embeddingDefaults,
  vectorIndex,
}: Services): Promise<void> {
  if (await catalog.byName('default')) return;
  const collection = completeCollection(newCollectionSchema.parse({ name: 'default' }), embeddingDefaults);
  try {
    await pool
      .lane('control')
      .transaction((transaction) => createCollection(transaction, collection, vectorIndex));
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'collection_exists')) throw error;
  }
  await catalog.refresh();
}

/** By one of all gateways that start at once. */
export async function makeFirstKey(
  { pool, apiKeys, log }: Services,
  onFirstKey: (key: string) => void,
): Promise<void> {
  const made = await pool.lane('control').transaction(async (transaction) => {
    const key = await createFirstApiKey(transaction);
    const entry = { action: 'key.create', details: { scopes: ['admin'] }, address: null, requestId: null };
    if (key)
      await recordAudit(transaction, { ...entry, target: key.id, keyId: null, keyName: 'first start' });
    return key;
  });
  if (!made) return;
  await apiKeys.refresh();
  log.info({ audit: true, action: 'key.create', target: made.id }, 'first key made');
  onFirstKey(made.key);
}

/** Runs `work` until it succeeds: a gateway that starts before its database is not ready yet, and not dead. */
export function untilDone(
  work: () => Promise<void>,
  onError: (error: unknown) => void,
  signal: AbortSignal,
): void {
  const attempt = () => {
    if (signal.aborted) return;
    work().catch((error) => {
      onError(error);
      setTimeout(attempt, retryMs).unref();
    });
  };
  attempt();
}
