import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { AnswerBody, HitBody, QueryBody } from '@sluice/contract';
import type { ApiError } from '../api/api-error.ts';
import type { Api, Question } from '../api/client.ts';
import { toApiError } from '../api/to-api-error.ts';
import type { CollectionChoice } from '../collection-choice.ts';
import { createFilterForm, type FilterForm } from './filter-form.ts';

export interface Found {
  query: string;
  filtered: boolean;
  answer: AnswerBody['answer'];
  hits: readonly HitBody[];
  /** For the hits after these */
  cursor: string | null;
}

export interface SearchModel {
  query: Signal<string>;
  mode: Signal<QueryBody['mode']>;
  count: Signal<number>;
  onePerDocument: Signal<boolean>;
  around: Signal<boolean>;
  filter: FilterForm;
  found: ReadonlySignal<Found | null>;
  busy: ReadonlySignal<boolean>;
  error: ReadonlySignal<ApiError | null>;
  /** Ends the search before it, if that still runs. */
  search(): Promise<void>;
  more(): Promise<void>;
}

/** What is asked for and what was found; it outlives the view. */
export function createSearchModel(
  api: Pick<Api, 'query'>,
  choice: CollectionChoice,
  onAnswered: (question: Question) => void,
): SearchModel {
  const query = signal('');
  const mode = signal<QueryBody['mode']>('hybrid');
  const count = signal(10);
  const onePerDocument = signal(false);
  const around = signal(false);
  const filter = createFilterForm();
  const found = signal<Found | null>(null);
  const busy = signal(false);
  const error = signal<ApiError | null>(null);
  let running: AbortController | undefined;
  let asked: Question | undefined;

  async function ask(question: Question): Promise<AnswerBody | undefined> {
    running?.abort();
    const controller = new AbortController();
    running = controller;
    busy.value = true;
    error.value = null;
    try {
      const answer = await api.query(question, controller.signal);
      return controller.signal.aborted ? undefined : answer;
    } catch (cause) {
      if (controller.signal.aborted) return undefined;
      error.value = toApiError(cause);
      return undefined;
    } finally {
      if (running === controller) busy.value = false;
    }
  }

  return {
    query,
    mode,
    count,
    onePerDocument,
    around,
    filter,
    found,
    busy,
    error,
    async search() {
      const wanted = filter.filter.value;
      asked = {
        query: query.value,
        mode: choice.hasWords.value ? mode.value : 'vector',
        k: count.value,
        collection: choice.chosen.value,
        ...(wanted && { filter: wanted }),
        ...(onePerDocument.value && { max_per_document: 1 }),
        ...(around.value && { context: { before: 1, after: 1 } }),
      };
      const answer = await ask(asked);
      if (answer) onAnswered(asked);
      if (answer)
        found.value = {
          query: asked.query,
          filtered: wanted !== undefined,
          answer: answer.answer,
          hits: answer.results,
          cursor: answer.next_cursor,
        };
      else if (error.value) found.value = null;
    },
    async more() {
      const before = found.value;
      if (!before?.cursor || !asked) return;
      const answer = await ask({ ...asked, cursor: before.cursor });
      if (answer)
        found.value = { ...before, hits: [...before.hits, ...answer.results], cursor: answer.next_cursor };
    },
  };
}
