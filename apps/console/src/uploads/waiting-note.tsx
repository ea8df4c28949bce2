import { useSignal } from '@preact/signals';
import type { UploadBody } from '@sluice/contract';
import { useEffect } from 'preact/hooks';
import { strings } from '../strings/index.ts';
import type { UploadStore } from './upload-store.ts';

// Idle workers take an upload within milliseconds.
const firstMs = 1_500;
const againMs = 5_000;

/** Why an upload waits, once it has for a moment, and anew while it does. */
export function WaitingNote({ id, store }: { id: string; store: Pick<UploadStore, 'explainWaiting'> }) {
  const waiting = useSignal<UploadBody['waiting']>(undefined);

  useEffect(() => {
    let timer = setTimeout(ask, firstMs);
    let gone = false;
    async function ask() {
      const found = await store.explainWaiting(id).catch(() => undefined);
      if (gone) return;
      waiting.value = found;
      timer = setTimeout(ask, againMs);
    }
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id, store, waiting]);

  if (!waiting.value) return null;
  const { reason, ahead } = waiting.value;
  return (
    <p class="small waiting" data-reason={reason}>
      {strings.value.uploads.waits(reason, ahead)}
    </p>
  );
}
