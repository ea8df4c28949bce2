import { type ReadonlySignal, signal } from '@preact/signals';
import type { UploadBody } from '@sluice/contract';
import { ApiError } from '../api/api-error.ts';
import type { Api } from '../api/client.ts';
import type { Connection } from '../api/connection.ts';
import { strings } from '../strings/index.ts';
import { createFollower } from './follower.ts';
import { foldStatus, isFinal, withoutUpload } from './upload-list.ts';

const pageSize = 50;
const maxListed = 200;
const busyMs = 2_000;
const idleMs = 15_000;
const brokenMs = 200;

type StoreApi = Pick<
  Api,
  | 'listUploads'
  | 'findUpload'
  | 'cancelUpload'
  | 'retryUpload'
  | 'retryFailed'
  | 'deleteUpload'
  | 'openEvents'
>;

export interface UploadStore {
  /** Newest first; null until the first answer */
  uploads: ReadonlySignal<readonly UploadBody[] | null>;
  /** Why the list could not be read last time */
  error: ReadonlySignal<ApiError | null>;
  /** The latest change of state in words, for screen readers */
  announcement: ReadonlySignal<string>;
  /** There are older ones that are not listed yet. */
  hasOlder: ReadonlySignal<boolean>;
  add(uploads: readonly UploadBody[]): void;
  /** These and the following reject with ApiError. */
  showOlder(): Promise<void>;
  cancel(id: string): Promise<void>;
  retry(id: string): Promise<void>;
  /** How many are back in line */
  retryFailed(): Promise<number>;
  remove(id: string): Promise<void>;
  /** Why it waits; undefined once it does not. */
  explainWaiting(id: string): Promise<UploadBody['waiting']>;
  refresh(): Promise<void>;
  /** Begins to poll; what is under way is also followed live. */
  start(): void;
}

/** The uploads as the page knows them, from event streams and, for what has none, from polling the list. */
export function createUploadStore(api: StoreApi, connection: Connection): UploadStore {
  const uploads = signal<readonly UploadBody[] | null>(null);
  const error = signal<ApiError | null>(null);
  const announcement = signal('');
  const older = signal<string | null>(null);
  const hasOlder = signal(false);
  const gone = new Set<string>();
  const heard = new Map<string, number>();
  const follower = createFollower({
    api,
    onStatus: (upload) => take(upload),
    onGone: forget,
    onBroken: lookSoon,
  });
  let looking: ReturnType<typeof setTimeout> | undefined;

  /** Streams break together: whether the server is still there is asked once. */
  function lookSoon(): void {
    clearTimeout(looking);
    looking = setTimeout(() => {
      if (!connection.lost.value) void refresh();
    }, brokenMs);
  }

  /** @param askedAt when the request left whose answer it is; undefined for an event */
  function take(next: UploadBody, askedAt?: number): void {
    // A list that was on its way during a deletion would bring the upload back.
    if (gone.has(next.id)) return;
    const list = uploads.value ?? [];
    const before = list.find(({ id }) => id === next.id);
    const newest = askedAt !== undefined && askedAt > (heard.get(next.id) ?? 0);
    uploads.value = foldStatus(list, next, { newest });
    if (uploads.value === list) return;
    heard.set(next.id, performance.now());
    if (before && before.state !== next.state) {
      const { announce, states } = strings.value.uploads;
      announcement.value = announce(next.name, states[next.state]);
    }
  }

  async function ask(request: () => Promise<UploadBody>): Promise<UploadBody> {
    const askedAt = performance.now();
    const upload = await request();
    take(upload, askedAt);
    follower.follow(pending());
    return upload;
  }

  function forget(id: string): void {
    gone.add(id);
    heard.delete(id);
    follower.drop(id);
    uploads.value = withoutUpload(uploads.value ?? [], id);
  }

  function pending(): string[] {
    // Oldest first: they are the ones being worked on.
    const open = (uploads.value ?? []).filter((upload) => !isFinal(upload));
    return open.map(({ id }) => id).reverse();
  }

  async function readPage(cursor?: string): Promise<void> {
    const askedAt = performance.now();
    const first = uploads.value === null;
    const known = uploads.value?.length ?? 0;
    const limit = cursor ? pageSize : Math.min(maxListed, Math.max(pageSize, known));
    const page = await api.listUploads(limit, cursor);
    uploads.value ??= [];
    for (const upload of page.uploads) take(upload, askedAt);
    // Polls read the first page again; they say nothing of where the older ones begin.
    if (first || cursor) older.value = page.next_cursor;
    hasOlder.value = older.value !== null;
  }

  async function refresh(): Promise<void> {
    try {
      await readPage();
      error.value = null;
    } catch (cause) {
      error.value = cause instanceof ApiError ? cause : null;
    }
    follower.follow(pending());
  }

  async function poll(): Promise<void> {
    if (!document.hidden && !connection.lost.value) await refresh();
    const blind = pending().some((id) => !follower.isLive(id));
    setTimeout(() => void poll(), blind ? busyMs : idleMs);
  }

  connection.onBack(() => {
    follower.reset();
    void refresh();
  });

  return {
    uploads,
    error,
    announcement,
    hasOlder,
    add(accepted) {
      for (const upload of accepted) take(upload);
      follower.follow(pending());
    },
    showOlder: () => (older.value === null ? Promise.resolve() : readPage(older.value)),
    async cancel(id) {
      await ask(() => api.cancelUpload(id));
    },
    async retry(id) {
      follower.drop(id);
      await ask(() => api.retryUpload(id));
    },
    async retryFailed() {
      const { upload_ids: ids } = await api.retryFailed();
      await refresh();
      return ids.length;
    },
    async remove(id) {
      await api.deleteUpload(id).catch((cause) => {
        if (!(cause instanceof ApiError && cause.code === 'upload_not_found')) throw cause;
      });
      forget(id);
    },
    explainWaiting: async (id) => (await ask(() => api.findUpload(id))).waiting,
    refresh,
    start: () => void poll(),
  };
}
