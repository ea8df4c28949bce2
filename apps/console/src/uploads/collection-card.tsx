import { useSignal } from '@preact/signals';
import type { CollectionBody, QualityBody } from '@sluice/contract';
import { useEffect } from 'preact/hooks';
import type { Api } from '../api/client.ts';
import { ErrorNote } from '../shell/error-note.tsx';
import { useAction } from '../shell/use-action.ts';
import { strings } from '../strings/index.ts';

const againMs = 10_000;
// Many uploads may end within a moment.
const settledMs = 500;

type CardApi = Pick<Api, 'findCollection' | 'readQuality' | 'measureQuality'>;

function Recall({ quality }: { quality: QualityBody }) {
  const words = strings.value.collections;
  const measured = quality.recall_at_10;
  return (
    <div class="recall">
      <dt title={words.recallHint}>{words.recall}</dt>
      <dd>
        {measured &&
          quality.state !== 'exact' &&
          words.recallOf(100 * measured.recall, 100 * measured.low, 100 * measured.high)}
        <span class="small">{words.quality[quality.state]}</span>
      </dd>
    </div>
  );
}

interface KnownCollection {
  collection: CollectionBody;
  quality: QualityBody;
}

function Facts({ collection, quality }: KnownCollection) {
  const { collections: words, format } = strings.value;
  const { statistics, embedding } = collection;
  return (
    <dl class="pairs">
      {statistics && (
        <>
          <div>
            <dt>{words.documents}</dt>
            <dd>{format.whole(statistics.documents)}</dd>
          </div>
          <div>
            <dt>{words.chunks}</dt>
            <dd>{format.whole(statistics.chunks)}</dd>
          </div>
          <div>
            <dt>{words.size}</dt>
            <dd>{format.size(statistics.bytes)}</dd>
          </div>
          {statistics.uploads_pending > 0 && (
            <div>
              <dt>{words.pending}</dt>
              <dd>{format.whole(statistics.uploads_pending)}</dd>
            </div>
          )}
        </>
      )}
      <div>
        <dt>{words.index}</dt>
        <dd>{words.indexes[collection.vector_index]}</dd>
      </div>
      <div>
        <dt>{words.words}</dt>
        <dd>{words.wordIndexes[collection.text_index]}</dd>
      </div>
      <div>
        <dt>{words.model}</dt>
        <dd>
          {embedding.model}, {format.whole(embedding.dimensions)}
        </dd>
      </div>
      <Recall quality={quality} />
    </dl>
  );
}

export interface CollectionCardProps {
  api: CardApi;
  name: string;
  /** Changes when something was written, so that the figures are read again. */
  version: number;
}

/** What is in a collection, and how well searches find it. */
export function CollectionCard({ api, name, version }: CollectionCardProps) {
  const known = useSignal<KnownCollection | null>(null);
  const reading = useAction();
  const measuring = useAction();
  const words = strings.value.collections;

  useEffect(() => {
    let gone = false;
    const read = () =>
      reading.run(async () => {
        const [collection, quality] = await Promise.all([api.findCollection(name), api.readQuality(name)]);
        if (!gone) known.value = { collection, quality };
      });
    const first = setTimeout(() => void read(), known.peek()?.collection.name === name ? settledMs : 0);
    const timer = setInterval(() => void (document.hidden || read()), againMs);
    return () => {
      gone = true;
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [api, name, version]);

  const measure = () =>
    measuring.run(async () => {
      const quality = await api.measureQuality(name);
      if (known.value?.collection.name === name) known.value = { ...known.value, quality };
    });

  const current = known.value?.collection.name === name ? known.value : null;
  return (
    <section class="card" aria-labelledby="collection-title">
      <h2 id="collection-title">
        <span class="small">{words.label}</span> {name}
      </h2>
      {current && <Facts {...current} />}
      {!current && reading.error.value && <ErrorNote error={reading.error.value} />}
      {current?.quality.index === 'hnsw' && (
        <button
          type="button"
          class="small-button"
          disabled={measuring.busy.value}
          onClick={() => void measure()}
        >
          {measuring.busy.value ? words.measuring : words.measure}
        </button>
      )}
      {measuring.error.value && <ErrorNote error={measuring.error.value} />}
    </section>
  );
}
