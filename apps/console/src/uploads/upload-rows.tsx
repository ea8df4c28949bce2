import { useSignal } from '@preact/signals';
import type { UploadBody } from '@sluice/contract';
import { ErrorNote } from '../shell/error-note.tsx';
import { Icon } from '../shell/icon.tsx';
import { Segments } from '../shell/segments.tsx';
import { useAction } from '../shell/use-action.ts';
import { strings } from '../strings/index.ts';
import { isFinal } from './upload-list.ts';
import { UploadRow } from './upload-row.tsx';
import type { UploadStore } from './upload-store.ts';

const filters = ['all', 'open', 'failed'] as const;
type Filter = (typeof filters)[number];

// Each asks the server every few seconds.
const maxExplained = 3;

function fits(upload: UploadBody, filter: Filter): boolean {
  if (filter === 'open') return !isFinal(upload);
  return filter === 'all' || upload.state === 'failed';
}

function RetryFailed({ store }: { store: UploadStore }) {
  const retrying = useAction();
  const redriven = useSignal<number | null>(null);
  const words = strings.value.uploads;
  const retry = () =>
    retrying.run(async () => {
      redriven.value = await store.retryFailed();
    });
  return (
    <div class="actions">
      <button type="button" class="small-button" disabled={retrying.busy.value} onClick={() => void retry()}>
        <Icon name="retry" /> {words.allAgain}
      </button>
      <span role="status" class="small">
        {redriven.value !== null && words.redriven(redriven.value)}
      </span>
      {retrying.error.value && <ErrorNote error={retrying.error.value} />}
    </div>
  );
}

/** What was uploaded, newest first. */
export function UploadRows({ store }: { store: UploadStore }) {
  const filter = useSignal<Filter>('all');
  const reading = useAction();
  const words = strings.value.uploads;
  const uploads = store.uploads.value;
  // That there is no connection is said above everything.
  const error = store.error.value?.code === 'unreachable' ? null : store.error.value;
  const shown = uploads?.filter((upload) => fits(upload, filter.value)) ?? [];
  const queued = shown.filter(({ state }) => state === 'queued');
  const explained = new Set(queued.slice(-maxExplained).map(({ id }) => id));
  const failed = uploads?.some(({ state }) => state === 'failed') ?? false;

  return (
    <section aria-labelledby="uploads-title">
      <div class="section-head">
        <h2 id="uploads-title">{words.recent}</h2>
        <Segments
          name="uploads"
          legend={words.filterLabel}
          value={filter.value}
          choices={filters.map((each) => [each, words.filters[each]] as const)}
          onChoose={(chosen) => {
            filter.value = chosen;
          }}
        />
      </div>
      {error && <ErrorNote error={error} />}
      {filter.value === 'failed' && failed && <RetryFailed store={store} />}
      {shown.length === 0 && !error && (
        <p class="empty">
          {uploads === null ? words.loading : filter.value === 'all' ? words.none : words.noneOf}
        </p>
      )}
      <ul class="rows">
        {shown.map((upload) => (
          <UploadRow key={upload.id} upload={upload} store={store} explain={explained.has(upload.id)} />
        ))}
      </ul>
      {store.hasOlder.value && (
        <button
          type="button"
          disabled={reading.busy.value}
          onClick={() => void reading.run(() => store.showOlder())}
        >
          {words.older}
        </button>
      )}
      {reading.error.value && <ErrorNote error={reading.error.value} />}
    </section>
  );
}
