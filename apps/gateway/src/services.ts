import type { TieredCache } from '@sluice/cache';
import type { Monitor } from '@sluice/monitoring';
import type { Fetcher, Poster } from '@sluice/outbound';
import type { Pool } from '@sluice/pool';
import type { ProgressChannel } from '@sluice/progress';
import type { Producer } from '@sluice/queue';
import type { Reranker, Search } from '@sluice/search';
import type { ApiKeyRing, Batch, Catalog, Collection, ServerFactsReader, VectorIndex } from '@sluice/store';
import type { HttpMetrics, HttpTracer, Logger, Registry, SearchReport } from '@sluice/telemetry';
import { type Caller, requireMayUse } from './access/caller.ts';
import type { Gatekeeper } from './access/gatekeeper.ts';
import type { EmbeddingDefaults } from './embedding-defaults.ts';
import type { GatewayChecks } from './gateway-checks.ts';
import { HttpProblem } from './http-problem.ts';
import type { Meter } from './limits/meter.ts';
import type { UploadQuotas } from './limits/upload-quotas.ts';
import type { UploadBacklog } from './upload-backlog.ts';
import type { UploadWatcher } from './upload-watcher.ts';
import type { Watcher } from './watcher.ts';

/** What the routes are built on. */
export interface Services {
  pool: Pool;
  catalog: Catalog;
  serverFacts: ServerFactsReader;
  producer: Producer;
  checks: GatewayChecks;
  cache: TieredCache;
  search: Search;
  /** Undefined: none is configured. */
  reranking: { reranker: Reranker; candidates: number } | undefined;
  /** Longest time of a search, in ms. */
  searchTimeoutMs: number;
  /** Told how each query ended. */
  onSearch: (report: SearchReport) => void;
  metrics: Registry;
  monitor: Monitor;
  httpMetrics: HttpMetrics;
  /** Undefined: nobody wants traces. */
  httpTracer: HttpTracer | undefined;
  progress: ProgressChannel;
  watcher: UploadWatcher;
  batchWatcher: Watcher<Batch>;
  backlog: UploadBacklog;
  /** Of documents that an upload gives the URL of. */
  fetcher: Fetcher;
  webhooks: Pick<Poster, 'check'> & { defaultUrl: string | undefined };
  embeddingDefaults: EmbeddingDefaults;
  /** Of new collections. */
  vectorIndex: VectorIndex;
  log: Logger;
  /** What the effort of searches is to hold, and what it is before it was measured. */
  recall: { target: number; unmeasured: number };
  limits: { maxUploadBytes: number; maxUploadFiles: number };
  /** Pages of others that may use the API. */
  corsOrigins: readonly string[];
  /** As Express takes it. */
  trustProxy: number | string[] | false;
  bodyTimeoutMs: number;
  gatekeeper: Gatekeeper;
  requests: { meter: Meter; perMinute: number };
  quotas: UploadQuotas;
  apiKeys: ApiKeyRing;
  version: string;
}

export function collectionNotFound(name: string): HttpProblem {
  const detail = `no collection is named "${name}"; create it with POST /v1/collections`;
  return new HttpProblem('collection_not_found', detail, { collection: name });
}

/** One that the caller may use. */
export async function requireCollection(
  catalog: Catalog,
  name: string,
  caller: Pick<Caller, 'collections'>,
): Promise<Collection> {
  requireMayUse(caller, name);
  const collection = await catalog.byName(name);
  if (collection) return collection;
  throw collectionNotFound(name);
}
