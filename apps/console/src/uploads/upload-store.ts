import { type ReadonlySignal, signal } from '@preact/signals';
import type { UploadBody } from '@sluice/contract';
import { ApiError } from '../api/api-error.ts';
import type { Api } from '../api/client.ts';
import { strings } from '../strings/index.ts';
import { createFollower } from './follower.ts';
import { foldStatus, isFinal, withoutUpload } from './upload-list.ts';

const recent = 20;
const maxListed = 200;
const busyMs = 2_000;
const idleMs = 15_000;

export interface UploadStore {
  /** Newest first; null until the first answer */
  uploads: ReadonlySignal<readonly UploadBody[] | null>;
  /** Why the list could not be read last time */
  error: ReadonlySignal<ApiError | null>;
  /** The latest change of state in words, for screen readers */
  announcement: ReadonlySignal<string>;
  add(uploads: readonly UploadBody[]): void;
  /** Rejects with ApiError. */
  remove(id: string): Promise<void>;
  refresh(): Promise<void>;
  /** Begins to poll; what is under way is also followed live. */
  start(): void;
}

/** The uploads as the page knows them, from event streams and, for what has none, from polling the list. */
export function createUploadStore(
  api: Pick<Api, 'listUploads' | 'deleteUpload' | 'openEvents'>,
): UploadStore {
  const uploads = signal<readonly UploadBody[] | null>(null);
  const error = signal<ApiError | null>(null);
  const announcement = signal('');
  const gone = new Set<string>();
  const follower = createFollower({ api, onStatus: take, onGone: forget });

  function take(next: UploadBody): void {
    // A list that was on its way during a deletion would bring the upload back.
    if (gone.has(next.id)) return;
    const list = uploads.value ?? [];
    const before = list.find(({ id }) => id === next.id);
    uploads.value = foldStatus(list, next);
    if (before && before.state !== next.state && uploads.value !== list)
      announcement.value = strings.uploads.announce(next.name, strings.uploads.states[next.state]);
  }

  function forget(id: string): void {
    gone.add(id);
    follower.drop(id);
    uploads.value = withoutUpload(uploads.value ?? [], id);
  }

  function pending(): string[] {
    // Oldest first: they are the ones being worked on.
    const open = (uploads.value ?? []).filter((upload) => !isFinal(upload));
    return open.map(({ id }) => id).reverse();
  }

  async function refresh(): Promise<void> {
    try {
      const limit = Math.min(maxListed, Math.max(recent, uploads.value?.length ?? 0));
      const page = await api.listUploads(limit);
      uploads.value ??= [];
      for (const upload of page.uploads) take(upload);
      error.value = null;
    } catch (cause) {
      error.value = cause instanceof ApiError ? cause : null;
    }
    follower.follow(pending());
  }

  async function poll(): Promise<void> {
    if (!document.hidden) await refresh();
    const blind = pending().some((id) => !follower.isLive(id));
    setTimeout(() => void poll(), blind ? busyMs : idleMs);
  }

  return {
    uploads,
    error,
    announcement,
    add(accepted) {
      for (const upload of accepted) take(upload);
      follower.follow(pending());
    },
    async remove(id) {
      await api.deleteUpload(id).catch((cause) => {
        if (!(cause instanceof ApiError && cause.code === 'upload_not_found')) throw cause;
      });
      forget(id);
    },
    refresh,
    start: () => void poll(),
  };
}
