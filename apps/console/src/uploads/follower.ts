import type { UploadBody } from '@sluice/contract';
import { ApiError } from '../api/api-error.ts';
import type { Api } from '../api/client.ts';
import { readStatuses } from '../api/read-statuses.ts';
import { isFinal } from './upload-list.ts';

// Browsers open six connections to an origin over HTTP/1.1; two stay free for everything else.
const maxStreams = 4;
const maxFailures = 3;

export interface FollowerOptions {
  api: Pick<Api, 'openEvents'>;
  onStatus(upload: UploadBody): void;
  onGone(id: string): void;
}

/**
 * Holds the event streams of uploads that are under way, at most four at a time; the others wait for their turn. An upload whose
 * stream breaks is tried again at the next `follow`, three times in all; whoever polls sees it meanwhile.
 */
export function createFollower({ api, onStatus, onGone }: FollowerOptions) {
  const live = new Map<string, AbortController>();
  const failures = new Map<string, number>();

  async function stream(id: string, signal: AbortSignal): Promise<void> {
    try {
      const response = await api.openEvents(id, signal);
      let last: UploadBody | undefined;
      if (response.body)
        await readStatuses(response.body, (upload) => {
          last = upload;
          onStatus(upload);
        });
      if (!last || !isFinal(last)) throw new Error('the stream ended before the upload did');
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.code === 'upload_not_found') onGone(id);
      failures.set(id, (failures.get(id) ?? 0) + 1);
    } finally {
      live.delete(id);
    }
  }

  return {
    isLive: (id: string) => live.has(id),

    /** Opens streams for these as far as there is room. The first ones come first. */
    follow(ids: readonly string[]): void {
      for (const id of ids) {
        if (live.size >= maxStreams) return;
        if (live.has(id) || (failures.get(id) ?? 0) >= maxFailures) continue;
        const controller = new AbortController();
        live.set(id, controller);
        void stream(id, controller.signal);
      }
    },

    drop(id: string): void {
      live.get(id)?.abort();
    },
  };
}
