import { useSignal } from '@preact/signals';
import type { UploadBody } from '@sluice/contract';
import { ErrorNote } from '../shell/error-note.tsx';
import { Icon } from '../shell/icon.tsx';
import { useAction } from '../shell/use-action.ts';
import { strings } from '../strings/index.ts';
import { Removal } from './removal.tsx';
import { UploadDetails } from './upload-details.tsx';
import { isFinal } from './upload-list.ts';
import type { UploadStore } from './upload-store.ts';
import { WaitingNote } from './waiting-note.tsx';

function Progress({ upload }: { upload: UploadBody }) {
  const words = strings.value.uploads;
  const { done, total } = upload.progress;
  return (
    <div class="progress">
      <progress
        aria-label={words.progress(upload.name)}
        {...(total !== null && { value: done, max: Math.max(total, 1) })}
      />
      <span class="small">
        {words.stages[upload.stage]}
        {total !== null && `, ${words.chunksOf(done, total)}`}
        {total === null && done > 0 && `, ${words.chunksSoFar(done)}`}
        {upload.attempts > 1 && `, ${words.attempt(upload.attempts)}`}
      </span>
    </div>
  );
}

function Facts({ upload }: { upload: UploadBody }) {
  const { format, uploads: words } = strings.value;
  const { progress, timings } = upload;
  const ready = upload.state === 'ready';
  const facts = [
    upload.collection,
    upload.format.toUpperCase(),
    format.size(upload.size_bytes),
    ready && progress.total !== null && words.chunks(progress.total),
    ready && timings.processed_ms !== null && words.took(timings.processed_ms),
    upload.unchanged && words.unchanged,
  ];
  return (
    <span class="small facts">
      {facts.map((fact) => fact && <span key={fact}>{fact}</span>)}
      <time dateTime={timings.accepted_at} title={format.time(timings.accepted_at)}>
        {format.since(timings.accepted_at)}
      </time>
    </span>
  );
}

function Actions({ upload, store }: { upload: UploadBody; store: UploadStore }) {
  const steering = useAction();
  const words = strings.value.uploads;
  const { id, name, state } = upload;
  const act = (work: (id: string) => Promise<void>) => () => void steering.run(() => work(id));
  return (
    <>
      {steering.error.value && <ErrorNote error={steering.error.value} />}
      {!isFinal(upload) && (
        <button
          type="button"
          class="small-button"
          aria-label={words.cancelOf(name)}
          disabled={steering.busy.value}
          onClick={act(store.cancel)}
        >
          {words.cancel}
        </button>
      )}
      {(state === 'failed' || state === 'cancelled') && (
        <button
          type="button"
          class="small-button"
          aria-label={words.againOf(name)}
          disabled={steering.busy.value}
          onClick={act(store.retry)}
        >
          {words.again}
        </button>
      )}
    </>
  );
}

export interface UploadRowProps {
  upload: UploadBody;
  store: UploadStore;
  /** Whether to ask why it waits. */
  explain: boolean;
}

export function UploadRow({ upload, store, explain }: UploadRowProps) {
  const open = useSignal(false);
  const words = strings.value.uploads;
  const { id, name, state, error } = upload;
  return (
    <li class="row" data-state={state}>
      <div class="row-head">
        <span class="name">{name}</span>
        <span class="badge">{words.states[state]}</span>
      </div>
      {state === 'processing' && <Progress upload={upload} />}
      {state === 'queued' && <p class="small">{words.stages[upload.stage]}</p>}
      {state === 'queued' && (explain || open.value) && <WaitingNote id={id} store={store} />}
      {error && <ErrorNote error={error} listed />}
      {error && !isFinal(upload) && <p class="small">{words.willRetry}</p>}
      <div class="row-foot">
        <Facts upload={upload} />
        <span class="actions">
          <button
            type="button"
            class="small-button toggle"
            aria-expanded={open.value}
            aria-label={words.detailsOf(name)}
            onClick={() => {
              open.value = !open.value;
            }}
          >
            {words.details} <Icon name="down" />
          </button>
          <Actions upload={upload} store={store} />
          <Removal name={name} onRemove={() => store.remove(id)} />
        </span>
      </div>
      {open.value && <UploadDetails upload={upload} />}
    </li>
  );
}
