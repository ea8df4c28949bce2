import type { Signal } from '@preact/signals';
import type { QueryBody } from '@sluice/contract';
import type { CollectionChoice } from '../collection-choice.ts';
import { CollectionPicker } from '../shell/collection-picker.tsx';
import { ErrorNote } from '../shell/error-note.tsx';
import { Icon } from '../shell/icon.tsx';
import { Segments } from '../shell/segments.tsx';
import { ViewHead } from '../shell/view-head.tsx';
import { strings } from '../strings/index.ts';
import type { UploadStore } from '../uploads/upload-store.ts';
import { FilterFields } from './filter-fields.tsx';
import { HitCard } from './hit-card.tsx';
import { knownFields } from './known-fields.ts';
import type { Found, SearchModel } from './search-model.ts';

const counts = [5, 10, 20, 50];
const modes: readonly QueryBody['mode'][] = ['hybrid', 'vector', 'text'];

function Summary({ found }: { found: Found }) {
  const words = strings.value.search;
  const { timings, cached, confirmed, degraded, index, effort } = found.answer;
  return (
    <p class="small facts">
      <b>{words.summary(found.hits.length, timings.total_ms)}</b>
      <span>
        {cached === 'none' ? words.timings(timings.embed_ms, timings.search_ms) : words.cached[cached]}
      </span>
      <span>{words.indexes[index]}</span>
      {effort !== null && <span>{words.effort(effort)}</span>}
      {!confirmed && <span>{words.unconfirmed}</span>}
      {degraded.map(({ code, detail }) => (
        <span key={code}>{detail}</span>
      ))}
    </p>
  );
}

function Check({ label, value }: { label: string; value: Signal<boolean> }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.checked;
        }}
      />
      {label}
    </label>
  );
}

function Fields({ model, hasWords }: { model: SearchModel; hasWords: boolean }) {
  const words = strings.value.search;
  return (
    <>
      <div class="search-line">
        <label for="query" class="visually-hidden">
          {words.label}
        </label>
        <input
          id="query"
          type="search"
          required
          maxLength={8_192}
          placeholder={words.example}
          value={model.query.value}
          onInput={(event) => {
            model.query.value = event.currentTarget.value;
          }}
        />
        <button type="submit" class="primary">
          <Icon name="search" /> {words.submit}
        </button>
      </div>
      <div class="search-choices">
        <Segments
          name="mode"
          legend={words.mode}
          value={hasWords ? model.mode.value : 'vector'}
          choices={(hasWords ? modes : (['vector'] as const)).map((each) => [each, words.modes[each]])}
          onChoose={(mode) => {
            model.mode.value = mode;
          }}
        />
        <label class="field" for="count">
          {words.count}
          <select
            id="count"
            value={model.count.value}
            onChange={(event) => {
              model.count.value = Number(event.currentTarget.value);
            }}
          >
            {counts.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <Check label={words.perDocument} value={model.onePerDocument} />
        <Check label={words.around} value={model.around} />
      </div>
    </>
  );
}

function Hits({ found, model }: { found: Found; model: SearchModel }) {
  const words = strings.value.search;
  const bestScore = found.hits[0]?.score ?? 0;
  return (
    <section aria-labelledby="hits-title">
      <h2 id="hits-title" class="visually-hidden">
        {words.results}
      </h2>
      <ol class="hits">
        {found.hits.map((hit) => (
          <HitCard
            key={`${found.query} ${hit.chunk_id}`}
            hit={hit}
            query={found.query}
            bestScore={bestScore}
          />
        ))}
      </ol>
      {found.cursor && (
        <button type="button" disabled={model.busy.value} onClick={() => void model.more()}>
          {words.moreResults}
        </button>
      )}
    </section>
  );
}

export interface SearchViewProps {
  choice: CollectionChoice;
  model: SearchModel;
  store: Pick<UploadStore, 'uploads'>;
}

export function SearchView({ choice, model, store }: SearchViewProps) {
  const words = strings.value.search;
  const found = model.found.value;
  const error = model.error.value;
  const busy = model.busy.value;
  return (
    <>
      <ViewHead title={words.title} lead={words.lead}>
        <CollectionPicker choice={choice} />
      </ViewHead>
      <search>
        <form
          class="search card"
          onSubmit={(event) => {
            event.preventDefault();
            if (model.filter.fault.value === null) void model.search();
          }}
        >
          <Fields model={model} hasWords={choice.hasWords.value} />
          <FilterFields
            filter={model.filter}
            known={knownFields(store.uploads.value ?? [], found?.hits ?? [])}
          />
        </form>
      </search>
      <div aria-live="polite" aria-busy={busy} class="search-state">
        {found && <Summary found={found} />}
        {!found && !error && <p class="empty">{busy ? words.searching : words.start}</p>}
        {found?.hits.length === 0 && <p class="empty">{found.filtered ? words.noneFiltered : words.none}</p>}
      </div>
      {error && <ErrorNote error={error} />}
      {found && <Hits found={found} model={model} />}
    </>
  );
}
