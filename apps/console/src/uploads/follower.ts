import type { UploadBody } from '@sluice/contract';
import { ApiError } from '../api/api-error.ts';
import type { Api } from '../api/client.ts';
import { readStatuses } from '../api/read-statuses.ts';
import { isFinal } from './upload-list.ts';

// Browsers open six connections to an origin over HTTP/1.1; two stay free for everything else.
const maxStreams = 4;
const maxFailures = 3;
// The server says every 15 s that it is there.
const silenceMs = 40_000;

export interface FollowerOptions {
  api: Pick<Api, 'openEvents'>;
  onStatus(upload: UploadBody): void;
  onGone(id: string): void;
  /** A stream ended before its upload did. */
  onBroken(): void;
}

/**
 * Holds the event streams of uploads that are under way, at most four at a time; the others wait for their turn. An upload whose
 * stream breaks is tried again at the next `follow`, three times in all; whoever polls sees it meanwhile.
 */
export function createFollower({ api, onStatus, onGone, onBroken }: FollowerOptions) {
  const live = new Map<string, AbortController>();
  const failures = new Map<string, number>();

  async function read(id: string, controller: AbortController): Promise<void> {
    const giveUp = () => controller.abort(new Error('the stream is silent'));
    let timer = setTimeout(giveUp, silenceMs);
    try {
      const { body } = await api.openEvents(id, controller.signal);
      let last: UploadBody | undefined;
      const onLife = () => {
        clearTimeout(timer);
        timer = setTimeout(giveUp, silenceMs);
      };
      if (body)
        await readStatuses(
          body,
          (upload) => {
            last = upload;
            onStatus(upload);
          },
          onLife,
        );
      if (!last || !isFinal(last)) throw new Error('the stream ended before the upload did');
    } finally {
      clearTimeout(timer);
    }
  }

  async function stream(id: string, controller: AbortController): Promise<void> {
    try {
      await read(id, controller);
    } catch (error) {
      if (live.get(id) !== controller) return;
      live.delete(id);
      if (error instanceof ApiError && error.code === 'upload_not_found') return onGone(id);
      failures.set(id, (failures.get(id) ?? 0) + 1);
      onBroken();
    } finally {
      if (live.get(id) === controller) live.delete(id);
    }
  }

  function drop(id: string): void {
    const controller = live.get(id);
    live.delete(id);
    controller?.abort();
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
        void stream(id, controller);
      }
    },

    drop,

    /** Forgets what failed, and ends streams that may have lost their server: the next `follow` opens them again. */
    reset(): void {
      failures.clear();
      for (const id of live.keys()) drop(id);
    },
  };
}
