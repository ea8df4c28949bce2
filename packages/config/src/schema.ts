import { isIP } from 'node:net';
import { z } from 'zod';

/**
 * Every environment variable of Sluice: name, meaning, unit, default. `.env.example`, `docs/configuration.md` and the
 * compose file are checked against this table.
 */
const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `expected a whole number from ${min} to ${max}`);
const share = (min: number, max: number) =>
  z
    .string()
    .regex(/^[01](\.\d+)?$/, `expected a number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `expected a number from ${min} to ${max}`);
const flag = () =>
  z
    .enum(['true', 'false', '1', '0', 'yes', 'no', 'on', 'off'], { error: 'expected true or false' })
    .transform((value) => ['true', '1', 'yes', 'on'].includes(value));
const url = (...protocols: string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `expected a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });
// Several hosts, as libpq knows them: postgres://user@host1:5432,host2:5432/database
const postgresUrl = () =>
  z.string().refine(
    (value) => {
      const [, scheme, hosts = '', rest] =
        /^(postgres(?:ql)?:\/\/(?:[^/?]*@)?)([^/?@]*)(.*)$/.exec(value) ?? [];
      return (
        scheme !== undefined && hosts.split(',').every((host) => URL.canParse(`${scheme}${host}${rest}`))
      );
    },
    { error: 'expected a URL that starts with postgres:// or postgresql://' },
  );
const postgresUrls = () => list().pipe(z.array(url('postgres:', 'postgresql:')));
const list = () =>
  z.string().transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  );

/** A host that uploads may be fetched from; `*` is any. No port: 80 and 443. No ranges: public addresses. */
export interface UrlHost {
  host: string;
  port: number | undefined;
  ranges: string[];
}

function isRange(text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && (bits === undefined || Number(bits) <= (family === 4 ? 32 : 128));
}
function urlHost(text: string): UrlHost | undefined {
  if (text === 'public') return { host: '*', port: undefined, ranges: [] };
  const [, host, port, range] =
    /^((?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(?:=(.+))?$/.exec(
      text.toLowerCase(),
    ) ?? [];
  const ranges = range?.split('+') ?? [];
  if (!host || (port && !(Number(port) >= 1 && Number(port) <= 65_535)) || !ranges.every(isRange))
    return undefined;
  // As a URL has it: addresses and names of other scripts are written in one way there.
  const asInUrl = host.startsWith('*.') ? host : URL.parse(`http://${host}/`)?.hostname;
  return asInUrl ? { host: asInUrl, port: port ? Number(port) : undefined, ranges } : undefined;
}
const urlHosts = () =>
  list().transform((items, context) =>
    items.map((item) => {
      const host = urlHost(item);
      if (host) return host;
      const message =
        'expected a comma-separated list of public, example.org, *.example.org, example.org:8443 or files.internal:9000=10.1.0.0/16';
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }),
  );

/** As OpenTelemetry has it: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
const otlpHeaders = () =>
  list().transform((items, context) => {
    const pairs = items.map((item) => /^([\w-]+)=(.+)$/.exec(item)?.slice(1).map(decoded));
    const valid = pairs.filter((pair): pair is string[] => pair?.every(Boolean) ?? false);
    if (valid.length === items.length) return Object.fromEntries(valid) as Record<string, string>;
    context.addIssue({ code: 'custom', message: 'expected name=value pairs, separated by commas' });
    return z.NEVER;
  });
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
const trustedProxies = () =>
  list().transform((items, context): number | string[] | false => {
    if (items.length === 0) return false;
    if (items.length === 1 && /^\d{1,2}$/.test(items[0] as string)) return Number(items[0]) || false;
    if (items.every((item) => ['loopback', 'linklocal', 'uniquelocal'].includes(item) || isRange(item)))
      return items;
    const message =
      'expected a comma-separated list of addresses, ranges such as 10.0.0.0/8, loopback, linklocal and uniquelocal, or a number of proxies';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
const origins = () =>
  list().refine((items) => items.every((item) => /^https?:/.test(item) && URL.parse(item)?.origin === item), {
    error: 'expected a comma-separated list of origins such as https://app.example.org',
  });

export type Group =
  | 'HTTP'
  | 'Services'
  | 'Connection pool'
  | 'Ingestion'
  | 'Embedding'
  | 'Search'
  | 'Re-ranking'
  | 'Scaling'
  | 'Logs';

interface Variable<S extends z.ZodType> {
  schema: S;
  /** As text, as it would stand in the environment. Undefined: not set. */
  default: string | undefined;
  description: string;
  group: Group;
  secret: boolean;
}

function variable<S extends z.ZodType>(
  group: Group,
  schema: S,
  fallback: string | undefined,
  description: string,
  secret = false,
): Variable<S> {
  return { schema, default: fallback, description, group, secret };
}
const optional = <S extends z.ZodType>(schema: S) => schema.optional();

export const variables = {
  HOST: variable(
    'HTTP',
    z.string().min(1),
    '127.0.0.1',
    'Address the gateway listens on. Beyond localhost every request needs a key; where there is none yet, the first start makes one and shows it.',
  ),
  PORT: variable('HTTP', integer(0, 65_535), '3000', 'Port of the gateway; 0 takes a free one.'),
  SLUICE_API_KEYS: variable(
    'HTTP',
    list(),
    '',
    'Comma-separated keys that open everything, sent as `Authorization: Bearer KEY`, at least 16 characters each. Others are made by `sluice keys`, with scopes. Empty: on localhost no key is asked for before one is made.',
    true,
  ),
  RATE_LIMIT_PER_MINUTE: variable(
    'HTTP',
    integer(0, 1_000_000),
    '0',
    'Requests a minute of each API key that has no limit of its own; from there on 429 and Retry-After. 0: no limit. Counted for all gateways together in REDIS_URL, without it by each for itself.',
  ),
  UPLOADS_PER_DAY: variable(
    'HTTP',
    integer(0, 1_000_000_000),
    '0',
    'Quota of uploads a day of each API key that has none of its own. 0: none. Counted as RATE_LIMIT_PER_MINUTE is.',
  ),
  UPLOAD_BYTES_PER_DAY: variable('HTTP', integer(0, Number.MAX_SAFE_INTEGER), '0', 'The same in bytes.'),
  AUTH_FAILURES_PER_MINUTE: variable(
    'HTTP',
    integer(0, 1_000_000),
    '30',
    'Wrong keys a minute from one address (IPv6: /64); from there on 429, also for SLUICE_API_KEYS, while keys of `sluice keys` go on working. 0: no limit. Counted by each gateway for itself.',
  ),
  TRUST_PROXY: variable(
    'HTTP',
    trustedProxies(),
    '',
    'Whose `X-Forwarded-For` says where a request comes from: comma-separated addresses or ranges of your proxies (`10.0.0.0/8`, `loopback`, `uniquelocal`), or how many there are in a row, which holds only if nobody can go around them. Empty: nobody.',
  ),
  CORS_ORIGINS: variable(
    'HTTP',
    origins(),
    '',
    'Comma-separated origins of web pages that may use the API from a browser, such as `https://app.example.org`. Empty: none but its own.',
  ),
  HEADERS_TIMEOUT_SECONDS: variable(
    'HTTP',
    integer(1, 3_600),
    '15',
    'Longest time the headers of a request may take to arrive, in seconds.',
  ),
  BODY_TIMEOUT_SECONDS: variable(
    'HTTP',
    integer(1, 3_600),
    '30',
    'The same for the body of a request that is no upload.',
  ),
  UPLOAD_MAX_BYTES: variable(
    'HTTP',
    integer(1, 2_147_483_647),
    '104857600',
    'Largest accepted file, in bytes.',
  ),
  UPLOAD_MAX_FILES: variable('HTTP', integer(1, 10_000), '2000', 'Most files in one upload request.'),
  UPLOAD_BACKLOG_LIMIT: variable(
    'HTTP',
    integer(0, 100_000_000),
    '100000',
    'Uploads that may wait or be worked on; from there on new ones are refused with 429 and Retry-After. 0: no limit.',
  ),
  UPLOAD_TIMEOUT_SECONDS: variable(
    'HTTP',
    integer(1, 86_400),
    '600',
    'Longest time one upload request may take, in seconds.',
  ),
  UPLOAD_URL_HOSTS: variable(
    'HTTP',
    urlHosts(),
    '',
    'Comma-separated hosts that documents may be fetched from when an upload gives a URL. Empty: none. `public`: any host with a public address. A host alone means ports 80 and 443 and public addresses; others have to be named: `files.internal:9000=10.1.0.0/16`.',
  ),
  UPLOAD_URL_TIMEOUT_SECONDS: variable(
    'HTTP',
    integer(1, 3_600),
    '60',
    'Longest time the fetching of one such document may take, in seconds.',
  ),
  WEBHOOK_URL: variable(
    'HTTP',
    optional(url('http:', 'https:')),
    undefined,
    'Who is told when an upload has ended, unless its request names another. Needs WEBHOOK_SECRET.',
    true,
  ),
  WEBHOOK_HOSTS: variable(
    'HTTP',
    urlHosts(),
    '',
    'Hosts that requests may name as `webhook`, in the form of UPLOAD_URL_HOSTS. Empty: none. Needs WEBHOOK_SECRET.',
  ),
  WEBHOOK_SECRET: variable(
    'HTTP',
    optional(
      z.string().regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'expected whsec_ and 24 to 64 bytes in base64'),
    ),
    undefined,
    'Signs webhooks (Standard Webhooks, HMAC-SHA256), for example `whsec_$(openssl rand -base64 32)`. The workers send them.',
    true,
  ),
  SHUTDOWN_TIMEOUT_SECONDS: variable(
    'HTTP',
    integer(1, 3_600),
    '30',
    'How long a stopping process waits for requests and jobs under way, in seconds.',
  ),

  DATABASE_URL: variable(
    'Services',
    optional(postgresUrl()),
    undefined,
    'Postgres 15 or newer with pgvector 0.8 or newer. Not set: `sluice up` starts an embedded Postgres. Several hosts with REDIS_URL only: `postgres://user@one:5432,two:5432/sluice?target_session_attrs=read-write`.',
    true,
  ),
  DATABASE_READ_URLS: variable(
    'Services',
    postgresUrls(),
    '',
    'Comma-separated standbys of DATABASE_URL that searches may read from. Each gets a pool of its own of DB_POOL_SIZE, and no more than the share of the budget.',
    true,
  ),
  REDIS_URL: variable(
    'Services',
    optional(url('redis:', 'rediss:')),
    undefined,
    'Redis of the queue; must run with maxmemory-policy noeviction. Not set: the queue lives in Postgres.',
    true,
  ),
  CACHE_REDIS_URL: variable(
    'Services',
    optional(url('redis:', 'rediss:')),
    undefined,
    'Redis of the cache; may evict. Not set: REDIS_URL, or in-process when that is not set either.',
    true,
  ),
  SLUICE_DATA_DIR: variable('Services', z.string().min(1), '.sluice', 'Folder of the embedded Postgres.'),
  SLUICE_EMBEDDED: variable(
    'Services',
    flag(),
    'false',
    'DATABASE_URL is an embedded Postgres (all connections share one session). Set by `sluice up` for its own processes.',
  ),

  DB_POOL_SIZE: variable('Connection pool', integer(1, 1_000), '20', 'Connections a process keeps open.'),
  DB_MAX_OVERFLOW: variable(
    'Connection pool',
    integer(0, 1_000),
    '30',
    'Connections opened beyond that under load and closed when given back.',
  ),
  DB_POOL_TIMEOUT: variable(
    'Connection pool',
    integer(1, 3_600),
    '30',
    'How long a caller waits for a connection, in seconds.',
  ),
  DB_POOL_RECYCLE: variable(
    'Connection pool',
    integer(1, 604_800),
    '3600',
    'Age at which a connection is replaced, in seconds.',
  ),
  DB_POOL_PRE_PING: variable(
    'Connection pool',
    flag(),
    'true',
    'Validate a connection that was idle before it is handed out.',
  ),
  DB_POOL_MIN_IDLE: variable(
    'Connection pool',
    integer(0, 1_000),
    '2',
    'Connections opened at start and kept while nothing happens.',
  ),
  DB_LEAK_SECONDS: variable(
    'Connection pool',
    integer(0, 86_400),
    '0',
    'A connection lent for longer than this is logged with the stack of its borrower, in seconds. 0: never.',
  ),
  DB_BUDGET: variable(
    'Connection pool',
    z.enum(['auto', 'redis', 'postgres', 'static', 'none'], {
      error: 'expected auto, redis, postgres, static or none',
    }),
    'auto',
    'How all processes together stay below the connection limit of the database: shares leased through redis or postgres, a static part, or none. auto: redis with REDIS_URL, else postgres; none when embedded.',
  ),
  DB_BUDGET_LIMIT: variable(
    'Connection pool',
    optional(integer(1, 100_000)),
    undefined,
    'Connections for all processes together, reserve included. Not set: what the server says (max_connections less what it reserves). Behind PgBouncer: its own limit.',
  ),
  DB_BUDGET_RESERVE: variable(
    'Connection pool',
    integer(0, 10_000),
    '5',
    'Connections that the processes leave alone, for administrators, migrations and backups.',
  ),
  DB_BUDGET_MEMBERS: variable(
    'Connection pool',
    optional(integer(1, 10_000)),
    undefined,
    'Most processes there will be. Needed by DB_BUDGET=static.',
  ),
  DB_BUDGET_NAME: variable(
    'Connection pool',
    z.string().min(1),
    'default',
    'Which fleet this process belongs to, where one Redis serves fleets on several database servers.',
  ),
  DB_READ_MAX_LAG_MS: variable(
    'Connection pool',
    integer(1, 3_600_000),
    '1000',
    'Oldest state that a standby of DATABASE_READ_URLS may show, in milliseconds.',
  ),

  WORKER_CONCURRENCY: variable(
    'Ingestion',
    integer(1, 256),
    '4',
    'Uploads one worker process ingests at the same time.',
  ),
  WORKER_HOST: variable(
    'Ingestion',
    z.string().min(1),
    '127.0.0.1',
    'Address on which a worker answers `/healthz`, `/readyz` and `/metrics`. `/metrics` there asks for a key as a gateway does, beyond localhost always; the other two tell nothing but how it is.',
  ),
  WORKER_PORT: variable(
    'Ingestion',
    optional(integer(0, 65_535)),
    undefined,
    'Port for that; 0 takes a free one. Not set: a worker listens on none. `sluice up` gives each of several workers the next port.',
  ),
  WORKER_STUCK_SECONDS: variable(
    'Ingestion',
    integer(1, 86_400),
    '600',
    'A worker that has jobs of which none has moved on for so long, or takes none while jobs wait, is not healthy. Above what parsing one document or a rate limit of the provider may take.',
  ),
  WORKER_NICE: variable(
    'Ingestion',
    integer(0, 19),
    '10',
    'Niceness of worker processes: on a machine that they share with gateways or the database, those have the processors first. 0: as they were started.',
  ),
  INGEST_YIELD_ABOVE_MS: variable(
    'Ingestion',
    integer(0, 60_000),
    '25',
    'Workers write less while searches by a vector index take longer than this (p95 of the last second, of any gateway), in milliseconds: one transaction at a time, with pauses, down to a tenth of the time. 0: never.',
  ),
  QUEUE_LOCK_SECONDS: variable(
    'Ingestion',
    integer(2, 3_600),
    '30',
    'After this long without a sign of life a job goes to another worker, in seconds.',
  ),
  RECONCILE_SECONDS: variable(
    'Ingestion',
    integer(1, 3_600),
    '15',
    'How often uploads without a job are looked for, in seconds.',
  ),
  EXTRACT_THREADS: variable(
    'Ingestion',
    integer(1, 64),
    '2',
    'Threads that parse documents, per worker process.',
  ),
  EXTRACT_MEMORY_MB: variable(
    'Ingestion',
    integer(64, 16_384),
    '160',
    'Memory of one such thread, in MiB. With the defaults a worker stays below 512 MiB; documents that need more fail.',
  ),
  EXTRACT_TIMEOUT_SECONDS: variable(
    'Ingestion',
    integer(1, 86_400),
    '300',
    'Longest time the parsing of one document may take, in seconds.',
  ),
  EXTRACT_MAX_EXPANDED_BYTES: variable(
    'Ingestion',
    integer(1_024, 8_589_934_592),
    '1073741824',
    'Most bytes a compressed document may expand to.',
  ),
  INSERT_BATCH_ROWS: variable(
    'Ingestion',
    integer(1, 10_000),
    '500',
    'Chunks embedded and staged in one step for one document. Two steps of a document go on at once.',
  ),
  VECTOR_INDEX_MIN_CHUNKS: variable(
    'Ingestion',
    integer(0, 1_000_000_000),
    '1000',
    'A collection gets its HNSW index when it has so many chunks and none of its uploads waits; until then its searches are exact. 0: from the beginning, which makes the first load several times slower.',
  ),
  VECTOR_INDEX_MAX_DEFERRED_CHUNKS: variable(
    'Ingestion',
    integer(0, 1_000_000_000),
    '200000',
    'With so many chunks the index is built although uploads still wait, since exact searches get slow (about 1 ms for 2 000 chunks of 384 dimensions).',
  ),
  VECTOR_INDEX_DENSER: variable(
    'Ingestion',
    flag(),
    'true',
    'Whether the index of a collection that is measured to hold SEARCH_RECALL_TARGET at no effort is built anew with a denser graph (m 24, ef_construction 128), which takes about twice as long.',
  ),
  VECTOR_INDEX_MEMORY_MB: variable(
    'Ingestion',
    integer(1, 1_000_000),
    '512',
    'Memory of the server for building an index, in MiB (`maintenance_work_mem`). A graph that does not fit is built much more slowly: 100 000 vectors of 384 dimensions take about 250 MiB.',
  ),
  VECTOR_INDEX_PARALLEL_WORKERS: variable(
    'Ingestion',
    integer(0, 1_024),
    '2',
    'Processes of the server that help to build an index. In containers they need shared memory of VECTOR_INDEX_MEMORY_MB.',
  ),

  EMBEDDING_PROVIDER: variable(
    'Embedding',
    z.enum(['local', 'openai', 'onnx'], { error: 'expected local, openai or onnx' }),
    'local',
    'Provider of new collections: `local` (matches words, needs nothing), `openai` (any OpenAI-compatible endpoint) or `onnx` (a model on disk).',
  ),
  EMBEDDING_MODEL: variable(
    'Embedding',
    optional(z.string().min(1)),
    undefined,
    'Model of new collections. Default: text-embedding-3-small for openai. For onnx: the name of its sub-folder.',
  ),
  EMBEDDING_DIMENSIONS: variable(
    'Embedding',
    optional(integer(1, 4_000)),
    undefined,
    'Dimensions of new collections. Default: 384 for local, 1536 for openai.',
  ),
  OPENAI_API_KEY: variable(
    'Embedding',
    optional(z.string().min(1)),
    undefined,
    'Key of the OpenAI-compatible endpoint.',
    true,
  ),
  OPENAI_BASE_URL: variable(
    'Embedding',
    optional(url('http:', 'https:')),
    undefined,
    'Base URL of an OpenAI-compatible endpoint, with /v1.',
  ),
  EMBEDDING_ONNX_MODELS_DIR: variable(
    'Embedding',
    optional(z.string().min(1)),
    undefined,
    'Folder with one sub-folder for each ONNX model. Nothing is downloaded into it; packages/embeddings says what it needs.',
  ),
  EMBEDDING_ONNX_THREADS: variable(
    'Embedding',
    optional(integer(1, 256)),
    undefined,
    'Cores that an ONNX model may use, per process. Default: all.',
  ),
  EMBEDDING_BATCH_TEXTS: variable(
    'Embedding',
    integer(1, 2_048),
    '128',
    'Most texts in one request to the provider.',
  ),
  EMBEDDING_BATCH_TOKENS: variable(
    'Embedding',
    integer(16, 1_000_000),
    '100000',
    'Most tokens in one request to the provider.',
  ),
  EMBEDDING_CONCURRENCY: variable(
    'Embedding',
    integer(1, 256),
    '4',
    'Requests to the provider under way at once, per process.',
  ),
  EMBEDDING_TIMEOUT_SECONDS: variable(
    'Embedding',
    integer(1, 600),
    '30',
    'Longest time one request to the provider may take, in seconds.',
  ),
  EMBEDDING_REQUESTS_PER_MINUTE: variable(
    'Embedding',
    optional(integer(1, 10_000_000)),
    undefined,
    'Most requests to a model of the provider in any minute: of all processes together with REDIS_URL, of each process without it.',
  ),
  EMBEDDING_TOKENS_PER_MINUTE: variable(
    'Embedding',
    optional(integer(1, 1_000_000_000)),
    undefined,
    'Most tokens sent to a model of the provider in any minute: of all processes together with REDIS_URL, of each process without it.',
  ),

  CACHE_TTL_SECONDS: variable(
    'Search',
    integer(1, 604_800),
    '300',
    'How long an answer may be served from the cache, in seconds (up to a tenth less). Writes invalidate it at once.',
  ),
  CACHE_STALE_SECONDS: variable(
    'Search',
    integer(0, 604_800),
    '60',
    'How long after that it is still served, as `stale`, while it is made anew, in seconds; also only until a write. 0: not at all.',
  ),
  CACHE_STALE_IF_ERROR_SECONDS: variable(
    'Search',
    integer(0, 604_800),
    '0',
    'How old an answer may be that is given while Postgres does not answer, in seconds, without regard to what was written since; it says so (stale_answer). A request may ask for less (max_stale_seconds). Answers are kept once more for it, within the limits of the caches. 0: none are given.',
  ),
  CACHE_MEMORY_MB: variable('Search', integer(1, 65_536), '64', 'Memory of the in-process cache, in MiB.'),
  CACHE_MEMORY_ENTRIES: variable(
    'Search',
    integer(1, 10_000_000),
    '50000',
    'Most entries of the in-process cache.',
  ),
  CACHE_SHARE_WAIT_MS: variable(
    'Search',
    integer(1, 10_000),
    '300',
    'Longest wait for another gateway that is answering the same query, in milliseconds. Queries cost that much once when it dies; runs that take longer are not shared. Without a Redis nothing is shared between gateways.',
  ),
  SEARCH_CONFIRM_MS: variable(
    'Search',
    integer(0, 10_000),
    '250',
    'How long a cached answer waits for the database to confirm that nothing was written since, in milliseconds (twice that at most); then it is given all the same and says so. 0: not asked, and writes through other gateways become visible by notification only, as a rule within milliseconds.',
  ),
  SEARCH_TIMEOUT_MS: variable(
    'Search',
    integer(1, 600_000),
    '10000',
    'Longest time of a search, in milliseconds; then it is answered with 504, and its statements end on the server too. A request may ask for less (timeout_ms). Less frees connections sooner, more bears slow providers and filters.',
  ),
  SEARCH_EF: variable(
    'Search',
    integer(1, 1_000),
    '100',
    'Search effort (hnsw.ef_search) in collections whose recall was not measured yet: higher finds more of the true neighbours and takes longer.',
  ),
  SEARCH_RECALL_TARGET: variable(
    'Search',
    share(0.5, 0.999),
    '0.99',
    'Share of the ten nearest chunks that searches are to find: the effort of each collection is chosen to hold it.',
  ),
  SEARCH_RECALL_INTERVAL_SECONDS: variable(
    'Search',
    integer(0, 86_400),
    '30',
    'How often workers look for collections that have changed and measure their recall. 0: never, only on demand.',
  ),

  RERANK_URL: variable(
    'Re-ranking',
    optional(url('http:', 'https:')),
    undefined,
    'Endpoint that judges the hits of queries with `rerank`, e.g. https://api.jina.ai/v1/rerank. Without it there is none.',
  ),
  RERANK_FORMAT: variable(
    'Re-ranking',
    z.enum(['cohere', 'tei'], { error: 'expected cohere or tei' }),
    'cohere',
    'What the endpoint speaks: cohere (Cohere, Jina, vLLM), or tei (Text Embeddings Inference).',
  ),
  RERANK_MODEL: variable(
    'Re-ranking',
    optional(z.string().min(1)),
    undefined,
    'Model that is asked for; tei has but one.',
  ),
  RERANK_API_KEY: variable(
    'Re-ranking',
    optional(z.string().min(1)),
    undefined,
    'Key of the endpoint.',
    true,
  ),
  RERANK_TIMEOUT_MS: variable(
    'Re-ranking',
    integer(1, 60_000),
    '1000',
    'Longest wait for the endpoint, in milliseconds; then hits stay in the order of the search.',
  ),
  RERANK_CANDIDATES: variable(
    'Re-ranking',
    integer(1, 200),
    '50',
    'Hits of the search that are judged, unless a query says how many. More find more, and take longer.',
  ),

  SCALE_TARGET_AGE_SECONDS: variable(
    'Scaling',
    integer(1, 86_400),
    '60',
    'How long the oldest upload may wait: /monitoring/scaling and the metric sluice_workers_needed say how many workers that takes. In seconds.',
  ),
  SCALE_MIN_WORKERS: variable(
    'Scaling',
    integer(0, 10_000),
    '1',
    'Workers that are needed while nothing waits.',
  ),
  SCALE_MAX_WORKERS: variable('Scaling', integer(1, 10_000), '20', 'Workers that are recommended at most.'),

  SLOW_QUERY_MS: variable(
    'Logs',
    integer(0, 3_600_000),
    '500',
    'Statements that take longer are logged with their text, without values, and their plan, in milliseconds. 0: none is.',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: variable(
    'Logs',
    optional(url('http:', 'https:')),
    undefined,
    'Where traces go by OTLP/HTTP, e.g. http://collector:4318; `/v1/traces` is added. Not set: there are none.',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: variable(
    'Logs',
    otlpHeaders(),
    '',
    'Headers for that: name=value, separated by commas, values percent-encoded.',
    true,
  ),
  OTEL_TRACES_SAMPLER_ARG: variable(
    'Logs',
    share(0, 1),
    '1',
    'Of the traces that begin here, the share that is kept, 0 to 1. Traces of callers are kept as they have decided.',
  ),
  LOG_LEVEL: variable(
    'Logs',
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      error: 'expected trace, debug, info, warn, error, fatal or silent',
    }),
    'info',
    'Least severe level that is written.',
  ),
  LOG_FORMAT: variable(
    'Logs',
    z.enum(['auto', 'json', 'pretty'], { error: 'expected auto, json or pretty' }),
    'auto',
    'auto: pretty on a terminal, JSON lines otherwise.',
  ),
} as const;

export type VariableName = keyof typeof variables;
export type Values = { [K in VariableName]: z.output<(typeof variables)[K]['schema']> };
