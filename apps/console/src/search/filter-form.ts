import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { strings } from '../strings/index.ts';
import { buildFilter, type Condition, isComplete } from './filter.ts';

export interface FilterForm {
  form: ReadonlySignal<'rows' | 'json'>;
  conditions: ReadonlySignal<readonly Condition[]>;
  json: Signal<string>;
  /** What is wrong with the JSON, in words */
  fault: ReadonlySignal<string | null>;
  filter: ReadonlySignal<Record<string, unknown> | undefined>;
  /** How many conditions hold; JSON counts as one. */
  active: ReadonlySignal<number>;
  add(): void;
  change(key: number, change: Partial<Condition>): void;
  remove(key: number): void;
  write(form: 'rows' | 'json'): void;
}

/** The filter of a search, as rows or as JSON. */
export function createFilterForm(): FilterForm {
  const form = signal<'rows' | 'json'>('rows');
  const conditions = signal<readonly Condition[]>([{ key: 0, field: '', operator: 'eq', value: '' }]);
  const json = signal('');
  let lastKey = 0;

  const parsed = computed((): { value?: Record<string, unknown>; fault: string | null } => {
    if (json.value.trim() === '') return { fault: null };
    const words = strings.value.search.filter;
    try {
      const value: unknown = JSON.parse(json.value);
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return { fault: words.jsonShape };
      return { value: value as Record<string, unknown>, fault: null };
    } catch (error) {
      return { fault: words.jsonWrong((error as Error).message) };
    }
  });
  const filter = computed(() => (form.value === 'json' ? parsed.value.value : buildFilter(conditions.value)));

  return {
    form,
    conditions,
    json,
    filter,
    fault: computed(() => (form.value === 'json' ? parsed.value.fault : null)),
    active: computed(() =>
      form.value === 'json' ? Number(filter.value !== undefined) : conditions.value.filter(isComplete).length,
    ),
    add() {
      conditions.value = [...conditions.value, { key: ++lastKey, field: '', operator: 'eq', value: '' }];
    },
    change(key, change) {
      conditions.value = conditions.value.map((each) => (each.key === key ? { ...each, ...change } : each));
    },
    remove(key) {
      conditions.value = conditions.value.filter((each) => each.key !== key);
    },
    write(next) {
      batch(() => {
        // Rows can be said as JSON, but not all JSON as rows.
        if (next === 'json' && form.value === 'rows' && filter.value)
          json.value = JSON.stringify(filter.value, null, 2);
        form.value = next;
      });
    },
  };
}
