import { type ReadonlySignal, signal } from '@preact/signals';
import type { UploadBody } from '@sluice/contract';
import type { ApiError } from '../api/api-error.ts';
import type { Api, FileFields } from '../api/client.ts';
import type { Connection } from '../api/connection.ts';
import { toApiError } from '../api/to-api-error.ts';

const maxAtOnce = 2;
// Of a file that is given up for a broken connection: the server may also break it because the file is too large.
const maxBroken = 3;
const busyPauseMs = 2_000;
const longestBusyPauseMs = 120_000;

/** A file on its way to the server, or one that did not get there. */
export interface Parcel {
  key: number;
  file: File;
  fields: FileFields;
  /** Share of the bytes that have left, 0 to 1; null: waits for its turn */
  sent: number | null;
  /** Why it waits although it has been its turn */
  held: 'connection' | 'busy' | null;
  error: ApiError | null;
}

export interface SourceFile {
  file: File;
  fields: FileFields;
}

export interface Sender {
  parcels: ReadonlySignal<readonly Parcel[]>;
  send(files: readonly SourceFile[]): void;
  again(key: number): void;
  /** Stops sending, or clears away a failure. */
  discard(key: number): void;
  discardAll(): void;
}

/** For Idempotency-Key. `crypto.randomUUID` exists in secure contexts only. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-');
}

/**
 * Sends files, one a request, so that each has its own progress and one refusal does not take the others with it. What a lost
 * connection or a busy server kept from arriving is sent again, under the same key, so that it arrives once.
 */
export function createSender(
  api: Pick<Api, 'sendFile'>,
  connection: Connection,
  onAccepted: (uploads: UploadBody[]) => void,
): Sender {
  const parcels = signal<readonly Parcel[]>([]);
  const running = new Map<number, AbortController>();
  const idempotencyKeys = new Map<number, string>();
  const broken = new Map<number, number>();
  let lastKey = 0;

  function patch(key: number, change: Partial<Parcel>): void {
    parcels.value = parcels.value.map((parcel) => (parcel.key === key ? { ...parcel, ...change } : parcel));
  }

  function remove(key: number): void {
    parcels.value = parcels.value.filter((parcel) => parcel.key !== key);
    idempotencyKeys.delete(key);
    broken.delete(key);
  }

  function resume(why: Parcel['held']): void {
    parcels.value = parcels.value.map((parcel) => (parcel.held === why ? { ...parcel, held: null } : parcel));
    next();
  }

  function giveUpOrHold(key: number, error: ApiError): void {
    const pauseMs = error.retryAfterMs ?? busyPauseMs;
    if ((error.status === 429 || error.status === 503) && pauseMs <= longestBusyPauseMs) {
      patch(key, { held: 'busy', sent: null });
      setTimeout(() => resume('busy'), pauseMs);
      return;
    }
    const times = (broken.get(key) ?? 0) + 1;
    broken.set(key, times);
    if (error.code === 'unreachable' && times < maxBroken) patch(key, { held: 'connection', sent: null });
    else patch(key, { error, sent: null });
  }

  async function run({ key, file, fields }: Parcel): Promise<void> {
    const controller = new AbortController();
    running.set(key, controller);
    patch(key, { sent: 0 });
    try {
      const onSent = (sent: number) => patch(key, { sent });
      const id = idempotencyKeys.get(key) ?? randomKey();
      idempotencyKeys.set(key, id);
      const { uploads } = await api.sendFile(file, fields, id, onSent, controller.signal);
      remove(key);
      onAccepted(uploads);
    } catch (cause) {
      if (controller.signal.aborted) return;
      giveUpOrHold(key, toApiError(cause));
    } finally {
      running.delete(key);
      next();
    }
  }

  function next(): void {
    if (connection.lost.value) return;
    const waiting = parcels.value.filter(
      ({ key, error, held }) => error === null && held === null && !running.has(key),
    );
    for (const parcel of waiting.slice(0, maxAtOnce - running.size)) void run(parcel);
  }

  connection.onBack(() => resume('connection'));

  return {
    parcels,
    send(files) {
      const added = files.map((source) => ({
        ...source,
        key: ++lastKey,
        sent: null,
        held: null,
        error: null,
      }));
      parcels.value = [...parcels.value, ...added];
      next();
    },
    again(key) {
      broken.delete(key);
      patch(key, { error: null });
      next();
    },
    discard(key) {
      running.get(key)?.abort();
      remove(key);
    },
    discardAll() {
      for (const { key } of parcels.value) {
        running.get(key)?.abort();
        remove(key);
      }
    },
  };
}
