import { ConfigError } from './errors.ts';
import { type Environment, isLoopback, loadValues } from './load.ts';
import type { UrlHost, Values } from './schema.ts';
import { secretsOf } from './secrets.ts';

export type Mode = 'embedded' | 'services' | 'postgres-only';

/** The environment as typed options, grouped by who takes them. Times in ms. */
export interface Config {
  mode: Mode;
  values: Values;
  http: {
    host: string;
    /** Whether only this machine can reach it. */
    local: boolean;
    port: number;
    apiKeys: readonly string[];
    maxUploadBytes: number;
    maxUploadFiles: number;
    /** 0: none. */
    uploadBacklogLimit: number;
    uploadTimeoutMs: number;
    headersTimeoutMs: number;
    /** Of what is no upload. */
    bodyTimeoutMs: number;
    /** Of keys that have none of their own. 0: none. */
    quotas: { requestsPerMinute: number; uploadsPerDay: number; uploadBytesPerDay: number };
    /** From one address. 0: not counted. */
    authFailuresPerMinute: number;
    trustProxy: number | string[] | false;
    corsOrigins: readonly string[];
    /** Documents that are fetched from a URL. No hosts: none are. */
    uploadUrl: { hosts: readonly UrlHost[]; timeoutMs: number };
  };
  /** No secret: none are sent. */
  webhooks: { url: string | undefined; hosts: readonly UrlHost[]; secret: string | undefined };
  shutdownTimeoutMs: number;
  databaseUrl: string | undefined;
  /** Where jobs live. Undefined in the embedded mode until its Postgres has a URL. */
  queue: { kind: 'redis'; url: string } | { kind: 'postgres'; connectionString: string } | undefined;
  cacheRedisUrl: string | undefined;
  dataDir: string;
  pool: {
    size: number;
    maxOverflow: number;
    acquireTimeoutMs: number;
    recycleMs: number;
    prePing: boolean;
    minIdle: number;
    leakAfterMs: number;
    sharedSession: boolean;
    /** Server settings of every connection. */
    settings: Record<string, string>;
  };
  budget: {
    driver: 'redis' | 'postgres' | 'static' | 'none';
    limit: number | undefined;
    reserve: number;
    members: number | undefined;
    name: string;
  };
  reads: { urls: readonly string[]; maxLagMs: number };
  worker: {
    /** No port: it listens on none. */
    host: string;
    port: number | undefined;
    /** Only this machine can reach it there. */
    local: boolean;
    stuckMs: number;
    concurrency: number;
    lockDurationMs: number;
    reconcileMs: number;
    batchRows: number;
    yieldAboveMs: number;
    nice: number;
  };
  vectorIndex: {
    minChunks: number;
    maxDeferredChunks: number;
    denser: boolean;
    memoryMb: number;
    parallelWorkers: number;
  };
  extraction: { threads: number; memoryMb: number; timeoutMs: number; maxExpandedBytes: number };
  embedding: {
    provider: 'local' | 'openai' | 'onnx';
    model: string | undefined;
    dimensions: number | undefined;
    openAi: { apiKey: string; baseUrl: string | undefined } | undefined;
    onnx: { directory: string; threads: number | undefined } | undefined;
    timeoutMs: number;
    maxTexts: number;
    maxTokens: number;
    concurrency: number;
    requestsPerMinute: number | undefined;
    tokensPerMinute: number | undefined;
  };
  cache: {
    ttlMs: number;
    staleMs: number;
    staleIfErrorMs: number;
    memoryBytes: number;
    memoryEntries: number;
    shareWaitMs: number;
  };
  /** `confirmMs` 0: cached answers are not confirmed. */
  search: {
    confirmMs: number;
    timeoutMs: number;
    efSearch: number;
    recall: { target: number; intervalMs: number };
  };
  /** Undefined: no re-ranking. */
  reranking:
    | {
        url: string;
        format: 'cohere' | 'tei';
        model: string | undefined;
        apiKey: string | undefined;
        timeoutMs: number;
        candidates: number;
      }
    | undefined;
  scaling: { targetAgeSeconds: number; minWorkers: number; maxWorkers: number };
  /** Undefined: no traces. */
  tracing: { endpoint: string; headers: Record<string, string>; ratio: number } | undefined;
  /** 0: none is logged. */
  slowQueryMs: number;
  /** `secrets`: parts of the configuration that no line may have. */
  log: { level: string; format: 'auto' | 'json' | 'pretty'; secrets: readonly string[] };
}

// A single session serves all embedded connections, so more of them only wait for each other.
const embeddedPool = { size: 4, maxOverflow: 4 };

function modeOf(values: Values): Mode {
  if (!values.DATABASE_URL || values.SLUICE_EMBEDDED) return 'embedded';
  return values.REDIS_URL ? 'services' : 'postgres-only';
}

function budgetDriverOf(values: Values, mode: Mode): Config['budget']['driver'] {
  if (mode === 'embedded') return 'none';
  if (values.DB_BUDGET !== 'auto') return values.DB_BUDGET;
  return values.REDIS_URL ? 'redis' : 'postgres';
}

function queueOf({ REDIS_URL, DATABASE_URL }: Values): Config['queue'] {
  if (REDIS_URL) return { kind: 'redis', url: REDIS_URL };
  return DATABASE_URL ? { kind: 'postgres', connectionString: DATABASE_URL } : undefined;
}

/** For processes that cannot start a Postgres of their own. Throws `ConfigError`. */
export function requireServices(config: Config): {
  databaseUrl: string;
  queue: NonNullable<Config['queue']>;
} {
  const { databaseUrl, queue } = config;
  if (databaseUrl && queue) return { databaseUrl, queue };
  const expected = 'a Postgres URL; without one, `sluice up` starts an embedded Postgres and everything else';
  throw new ConfigError([{ variable: 'DATABASE_URL', given: '(not set)', expected }]);
}

function rerankingOf(values: Values): Config['reranking'] {
  if (!values.RERANK_URL) return undefined;
  return {
    url: values.RERANK_URL,
    format: values.RERANK_FORMAT,
    model: values.RERANK_MODEL,
    apiKey: values.RERANK_API_KEY,
    timeoutMs: values.RERANK_TIMEOUT_MS,
    candidates: values.RERANK_CANDIDATES,
  };
}

function tracingOf(values: Values): Config['tracing'] {
  const endpoint = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!endpoint) return undefined;
  return { endpoint, headers: values.OTEL_EXPORTER_OTLP_HEADERS, ratio: values.OTEL_TRACES_SAMPLER_ARG };
}

export function loadConfig(environment: Environment): Config {
  const values = loadValues(environment);
  const mode = modeOf(values);
  return {
    mode,
    values,
    http: {
      host: values.HOST,
      local: isLoopback(values.HOST),
      port: values.PORT,
      apiKeys: values.SLUICE_API_KEYS,
      maxUploadBytes: values.UPLOAD_MAX_BYTES,
      maxUploadFiles: values.UPLOAD_MAX_FILES,
      uploadBacklogLimit: values.UPLOAD_BACKLOG_LIMIT,
      uploadTimeoutMs: values.UPLOAD_TIMEOUT_SECONDS * 1_000,
      headersTimeoutMs: values.HEADERS_TIMEOUT_SECONDS * 1_000,
      bodyTimeoutMs: values.BODY_TIMEOUT_SECONDS * 1_000,
      quotas: {
        requestsPerMinute: values.RATE_LIMIT_PER_MINUTE,
        uploadsPerDay: values.UPLOADS_PER_DAY,
        uploadBytesPerDay: values.UPLOAD_BYTES_PER_DAY,
      },
      authFailuresPerMinute: values.AUTH_FAILURES_PER_MINUTE,
      trustProxy: values.TRUST_PROXY,
      corsOrigins: values.CORS_ORIGINS,
      uploadUrl: { hosts: values.UPLOAD_URL_HOSTS, timeoutMs: values.UPLOAD_URL_TIMEOUT_SECONDS * 1_000 },
    },
    webhooks: { url: values.WEBHOOK_URL, hosts: values.WEBHOOK_HOSTS, secret: values.WEBHOOK_SECRET },
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_SECONDS * 1_000,
    databaseUrl: values.DATABASE_URL,
    queue: queueOf(values),
    cacheRedisUrl: values.CACHE_REDIS_URL ?? values.REDIS_URL,
    dataDir: values.SLUICE_DATA_DIR,
    pool: {
      ...(mode === 'embedded'
        ? embeddedPool
        : { size: values.DB_POOL_SIZE, maxOverflow: values.DB_MAX_OVERFLOW }),
      acquireTimeoutMs: values.DB_POOL_TIMEOUT * 1_000,
      recycleMs: values.DB_POOL_RECYCLE * 1_000,
      prePing: values.DB_POOL_PRE_PING,
      minIdle: values.DB_POOL_MIN_IDLE,
      leakAfterMs: values.DB_LEAK_SECONDS * 1_000,
      sharedSession: mode === 'embedded',
      settings: {
        'hnsw.ef_search': String(values.SEARCH_EF),
        // Without it a filtered search returns too few: the filter applies to what the index has found.
        'hnsw.iterative_scan': 'strict_order',
        // Many search at once: helpers for one exact search took three quarters of the throughput of all.
        max_parallel_workers_per_gather: '0',
      },
    },
    budget: {
      driver: budgetDriverOf(values, mode),
      limit: values.DB_BUDGET_LIMIT,
      reserve: values.DB_BUDGET_RESERVE,
      members: values.DB_BUDGET_MEMBERS,
      name: values.DB_BUDGET_NAME,
    },
    reads: {
      urls: mode === 'embedded' ? [] : values.DATABASE_READ_URLS,
      maxLagMs: values.DB_READ_MAX_LAG_MS,
    },
    worker: {
      host: values.WORKER_HOST,
      port: values.WORKER_PORT,
      local: isLoopback(values.WORKER_HOST),
      stuckMs: values.WORKER_STUCK_SECONDS * 1_000,
      concurrency: values.WORKER_CONCURRENCY,
      lockDurationMs: values.QUEUE_LOCK_SECONDS * 1_000,
      reconcileMs: values.RECONCILE_SECONDS * 1_000,
      batchRows: values.INSERT_BATCH_ROWS,
      yieldAboveMs: values.INGEST_YIELD_ABOVE_MS,
      nice: values.WORKER_NICE,
    },
    vectorIndex: {
      minChunks: values.VECTOR_INDEX_MIN_CHUNKS,
      maxDeferredChunks: values.VECTOR_INDEX_MAX_DEFERRED_CHUNKS,
      denser: values.VECTOR_INDEX_DENSER,
      memoryMb: values.VECTOR_INDEX_MEMORY_MB,
      parallelWorkers: values.VECTOR_INDEX_PARALLEL_WORKERS,
    },
    extraction: {
      threads: values.EXTRACT_THREADS,
      memoryMb: values.EXTRACT_MEMORY_MB,
      timeoutMs: values.EXTRACT_TIMEOUT_SECONDS * 1_000,
      maxExpandedBytes: values.EXTRACT_MAX_EXPANDED_BYTES,
    },
    embedding: {
      provider: values.EMBEDDING_PROVIDER,
      model: values.EMBEDDING_MODEL,
      dimensions: values.EMBEDDING_DIMENSIONS,
      openAi: values.OPENAI_API_KEY
        ? { apiKey: values.OPENAI_API_KEY, baseUrl: values.OPENAI_BASE_URL }
        : undefined,
      onnx: values.EMBEDDING_ONNX_MODELS_DIR
        ? { directory: values.EMBEDDING_ONNX_MODELS_DIR, threads: values.EMBEDDING_ONNX_THREADS }
        : undefined,
      timeoutMs: values.EMBEDDING_TIMEOUT_SECONDS * 1_000,
      maxTexts: values.EMBEDDING_BATCH_TEXTS,
      maxTokens: values.EMBEDDING_BATCH_TOKENS,
      concurrency: values.EMBEDDING_CONCURRENCY,
      requestsPerMinute: values.EMBEDDING_REQUESTS_PER_MINUTE,
      tokensPerMinute: values.EMBEDDING_TOKENS_PER_MINUTE,
    },
    cache: {
      ttlMs: values.CACHE_TTL_SECONDS * 1_000,
      staleMs: values.CACHE_STALE_SECONDS * 1_000,
      staleIfErrorMs: values.CACHE_STALE_IF_ERROR_SECONDS * 1_000,
      memoryBytes: values.CACHE_MEMORY_MB * 1_048_576,
      memoryEntries: values.CACHE_MEMORY_ENTRIES,
      shareWaitMs: values.CACHE_SHARE_WAIT_MS,
    },
    search: {
      confirmMs: values.SEARCH_CONFIRM_MS,
      timeoutMs: values.SEARCH_TIMEOUT_MS,
      efSearch: values.SEARCH_EF,
      recall: {
        target: values.SEARCH_RECALL_TARGET,
        intervalMs: values.SEARCH_RECALL_INTERVAL_SECONDS * 1_000,
      },
    },
    reranking: rerankingOf(values),
    scaling: {
      targetAgeSeconds: values.SCALE_TARGET_AGE_SECONDS,
      minWorkers: values.SCALE_MIN_WORKERS,
      maxWorkers: values.SCALE_MAX_WORKERS,
    },
    tracing: tracingOf(values),
    slowQueryMs: values.SLOW_QUERY_MS,
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT, secrets: secretsOf(values) },
  };
}
