import type { Queryable } from '@sluice/pool';
import { Redis } from 'ioredis';
import { isNewer } from './is-newer.ts';
import { changed, parseMessage } from './message.ts';
import { createPostgresProgress } from './postgres-progress.ts';
import type { AttemptProgress, ProgressChannel } from './progress-channel.ts';
import { createWatchedUploads } from './watched-uploads.ts';

export interface RedisProgressOptions {
  /** `redis://` or `rediss://`. May lose everything at any time. */
  url: string;
  /** For the rows of the uploads: the sign that messages were lost, and all there is while Redis is away. */
  db: Queryable;
  /** Hears connection errors, and failures of reading rows. */
  onError?(error: unknown): void;
}

const paceMs = 50;
const prefix = 'sluice:progress:';
/** The rows are up to date again by then: attempts write them every few seconds as a sign of life. */
const keepMs = 10_000;
const commandTimeoutMs = 200;
/** After a failure Redis is left alone for this long, so that one that hangs costs one caller its timeout, not each. */
const restMs = 1_000;
/** For changes whose message was lost. */
const heardPollMs = 1_000;
const deafPollMs = 300;

/** Keeps and publishes progress unless that of a later attempt is known. */
const announceScript = `
local known = redis.call('get', KEYS[1])
if known then
  local readable, progress = pcall(cjson.decode, known)
  if readable and type(progress) == 'table' and (tonumber(progress.fence) or 0) > tonumber(ARGV[1]) then return 0 end
end
redis.call('set', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('publish', KEYS[1], ARGV[2])
return 1`;

/** Progress through Redis: published for who watches, and kept for a moment for who asks. Without Redis it goes through the rows. */
export function createRedisProgress({ url, db, onError = () => {} }: RedisProgressOptions): ProgressChannel {
  const commands = connect(url, 'sluice-progress', onError);
  const ears = connect(url, 'sluice-progress-watch', onError);
  const watched = createWatchedUploads();
  const stops = new Map<string, () => void>();
  const heard = new Set<string>();
  const rows = createPostgresProgress({
    db,
    pollMs: () => (ears.status === 'ready' ? heardPollMs : deafPollMs),
    onError,
  });
  let restUntil = 0;
  const usable = () => commands.status === 'ready' && performance.now() >= restUntil;

  /** Undefined when Redis is away. */
  async function attempt<T>(command: () => Promise<T>): Promise<T | undefined> {
    if (!usable()) return undefined;
    try {
      return await command();
    } catch {
      restUntil = performance.now() + restMs;
      return undefined;
    }
  }

  async function listen(uploadIds: readonly string[]): Promise<void> {
    if (uploadIds.length === 0 || ears.status !== 'ready') return;
    await ears.subscribe(...uploadIds.map((id) => prefix + id));
    for (const id of uploadIds) {
      heard.add(id);
      watched.change(id);
    }
  }
  // The rows are looked at in any case, so what cannot be subscribed to is only late.
  const listenInBackground = (uploadIds: readonly string[]) => void listen(uploadIds).catch(() => {});

  ears.on('ready', () => listenInBackground(watched.ids()));
  ears.on('close', () => heard.clear());
  ears.on('message', (channel: string, text: string) => {
    const uploadId = channel.slice(prefix.length);
    const message = parseMessage(uploadId, text);
    if (message === 'changed') watched.change(uploadId);
    else if (message) watched.progress(message);
  });

  function newer(known: AttemptProgress, text: string | null): AttemptProgress {
    const live = text === null ? undefined : parseMessage(known.uploadId, text);
    // Of another attempt than the row's: one of the two is outdated, and the row is not.
    if (!live || live === 'changed' || live.fence !== known.fence) return known;
    return isNewer(live, known) ? live : known;
  }

  return {
    get paceMs() {
      return usable() ? paceMs : rows.paceMs;
    },
    async announce(progress) {
      const { uploadId, fence, stage, chunksDone, chunksTotal } = progress;
      const text = JSON.stringify({ uploadId, fence, stage, chunksDone, chunksTotal });
      const sent = await attempt(() =>
        commands.eval(announceScript, 1, prefix + uploadId, fence, text, keepMs),
      );
      return sent === undefined ? rows.announce(progress) : undefined;
    },
    async announceChange(uploadIds) {
      await attempt(() => Promise.all(uploadIds.map((id) => commands.publish(prefix + id, changed))));
    },
    async newest(known) {
      if (known.length === 0) return [];
      const texts = await attempt(() => commands.mget(known.map(({ uploadId }) => prefix + uploadId)));
      return known.map((progress, i) => newer(progress, texts?.[i] ?? null));
    },
    watch(uploadId, listener) {
      if (watched.add(uploadId, listener)) {
        stops.set(
          uploadId,
          rows.watch(uploadId, { onProgress: watched.progress, onChange: () => watched.change(uploadId) }),
        );
        listenInBackground([uploadId]);
      } else if (heard.has(uploadId)) queueMicrotask(() => listener.onChange());
      return () => {
        if (!watched.remove(uploadId, listener)) return;
        stops.get(uploadId)?.();
        stops.delete(uploadId);
        heard.delete(uploadId);
        if (ears.status === 'ready') ears.unsubscribe(prefix + uploadId).catch(() => {});
      };
    },
    async [Symbol.asyncDispose]() {
      watched.clear();
      await rows[Symbol.asyncDispose]();
      for (const client of [commands, ears]) client.disconnect();
    },
  };
}

function connect(url: string, connectionName: string, onError: (error: unknown) => void): Redis {
  const client = new Redis(url, {
    connectionName,
    connectTimeout: 2_000,
    commandTimeout: commandTimeoutMs,
    // Progress that waits for a connection is outdated when it gets one.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
  });
  client.on('error', onError);
  return client;
}
