import { useSignal } from '@preact/signals';
import type { AnswerBody, QueryBody } from '@sluice/contract';
import { useRef } from 'preact/hooks';
import type { Api } from '../api/client.ts';
import type { CollectionChoice } from '../collection-choice.ts';
import { ErrorNote } from '../shell/error-note.tsx';
import { useAction } from '../shell/use-action.ts';
import { strings } from '../strings/index.ts';
import { HitCard } from './hit-card.tsx';

const words = strings.search;
const counts = [5, 10, 20, 50];
const modes: readonly QueryBody['mode'][] = ['vector', 'text', 'hybrid'];

function Summary({ found }: { found: AnswerBody }) {
  const { timings, cached, degraded } = found.answer;
  return (
    <p class="small facts">
      <span>{words.summary(found.results.length, timings.total_ms)}</span>
      <span>
        {cached === 'none' ? words.timings(timings.embed_ms, timings.search_ms) : words.cached[cached]}
      </span>
      {degraded.map(({ code, detail }) => (
        <span key={code}>{detail}</span>
      ))}
    </p>
  );
}

export function SearchPanel({ api, choice }: { api: Pick<Api, 'query'>; choice: CollectionChoice }) {
  const query = useSignal('');
  const count = useSignal(10);
  const mode = useSignal<QueryBody['mode']>('vector');
  const found = useSignal<{ query: string; answer: AnswerBody } | null>(null);
  const search = useAction();
  const running = useRef<AbortController>(null);

  function submit(event: Event) {
    event.preventDefault();
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const asked = query.value;
    void search.run(async () => {
      const question = {
        query: asked,
        mode: mode.value,
        k: count.value,
        collection: choice.chosen.value,
      };
      try {
        const answer = await api.query(question, controller.signal);
        if (!controller.signal.aborted) found.value = { query: asked, answer };
      } catch (error) {
        if (controller.signal.aborted) return;
        found.value = null;
        throw error;
      }
    });
  }

  const results = found.value?.answer.results;
  return (
    <section aria-labelledby="search-title">
      <h2 id="search-title">{words.title}</h2>
      <search>
        <form class="search" onSubmit={submit}>
          <label for="query" class="visually-hidden">
            {words.label}
          </label>
          <input
            id="query"
            type="search"
            required
            maxLength={8_192}
            placeholder={words.example}
            value={query.value}
            onInput={(event) => {
              query.value = event.currentTarget.value;
            }}
          />
          <label for="mode" class="visually-hidden">
            {words.mode}
          </label>
          <select
            id="mode"
            title={words.mode}
            value={mode.value}
            onChange={(event) => {
              mode.value = event.currentTarget.value as QueryBody['mode'];
            }}
          >
            {modes.map((each) => (
              <option key={each} value={each}>
                {words.modes[each]}
              </option>
            ))}
          </select>
          <label for="count" class="visually-hidden">
            {words.count}
          </label>
          <select
            id="count"
            title={words.count}
            value={count.value}
            onChange={(event) => {
              count.value = Number(event.currentTarget.value);
            }}
          >
            {counts.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
          <button type="submit" class="primary">
            {words.submit}
          </button>
        </form>
      </search>
      <div aria-live="polite" aria-busy={search.busy.value}>
        {found.value && <Summary found={found.value.answer} />}
        {!found.value && !search.error.value && (
          <p class="small">{search.busy.value ? words.searching : words.start}</p>
        )}
        {results?.length === 0 && <p>{words.none}</p>}
      </div>
      {search.error.value && <ErrorNote error={search.error.value} />}
      {found.value && (
        <ol class="hits">
          {results?.map((hit) => (
            <HitCard
              key={`${found.value?.query} ${hit.chunk_id}`}
              hit={hit}
              query={found.value?.query ?? ''}
            />
          ))}
        </ol>
      )}
    </section>
  );
}
