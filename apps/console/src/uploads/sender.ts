import { type ReadonlySignal, signal } from '@preact/signals';
import type { UploadBody } from '@sluice/contract';
import { ApiError } from '../api/api-error.ts';
import type { Api } from '../api/client.ts';
import { strings } from '../strings/index.ts';

const maxAtOnce = 2;

/** A file on its way to the server, or one that did not get there. */
export interface Parcel {
  key: number;
  file: File;
  collection: string;
  /** Share of the bytes that have left, 0 to 1; null: waits for its turn */
  sent: number | null;
  error: ApiError | null;
}

export interface Sender {
  parcels: ReadonlySignal<readonly Parcel[]>;
  send(files: Iterable<File>, collection: string): void;
  again(key: number): void;
  /** Stops sending, or clears away a failure. */
  discard(key: number): void;
}

/** Sends files, one a request, so that each has its own progress and one refusal does not take the others with it. */
export function createSender(
  api: Pick<Api, 'sendFile'>,
  onAccepted: (uploads: UploadBody[]) => void,
): Sender {
  const parcels = signal<readonly Parcel[]>([]);
  const running = new Map<number, AbortController>();
  let lastKey = 0;

  function patch(key: number, change: Partial<Parcel>): void {
    parcels.value = parcels.value.map((parcel) => (parcel.key === key ? { ...parcel, ...change } : parcel));
  }

  function remove(key: number): void {
    parcels.value = parcels.value.filter((parcel) => parcel.key !== key);
  }

  async function run({ key, file, collection }: Parcel): Promise<void> {
    const controller = new AbortController();
    running.set(key, controller);
    patch(key, { sent: 0 });
    try {
      const onSent = (sent: number) => patch(key, { sent });
      const { uploads } = await api.sendFile(file, collection, onSent, controller.signal);
      remove(key);
      onAccepted(uploads);
    } catch (cause) {
      const error =
        cause instanceof ApiError
          ? cause
          : new ApiError('unexpected_answer', strings.errors.unexpected, { status: 0, cause });
      if (!controller.signal.aborted) patch(key, { error, sent: null });
    } finally {
      running.delete(key);
      next();
    }
  }

  function next(): void {
    const waiting = parcels.value.filter(({ key, error }) => error === null && !running.has(key));
    for (const parcel of waiting.slice(0, maxAtOnce - running.size)) void run(parcel);
  }

  return {
    parcels,
    send(files, collection) {
      const added = Array.from(files, (file) => ({
        key: ++lastKey,
        file,
        collection,
        sent: null,
        error: null,
      }));
      parcels.value = [...parcels.value, ...added];
      next();
    },
    again(key) {
      patch(key, { error: null });
      next();
    },
    discard(key) {
      running.get(key)?.abort();
      remove(key);
    },
  };
}
