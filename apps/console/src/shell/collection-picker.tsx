import { useSignal } from '@preact/signals';
import type { CollectionChoice } from '../collection-choice.ts';
import { strings } from '../strings/index.ts';
import { ErrorNote } from './error-note.tsx';
import { useAction } from './use-action.ts';

export function CollectionPicker({ choice }: { choice: CollectionChoice }) {
  const adding = useSignal(false);
  const name = useSignal('');
  const creation = useAction();

  async function create(event: Event) {
    event.preventDefault();
    if (!(await creation.run(() => choice.create(name.value)))) return;
    name.value = '';
    adding.value = false;
  }

  return (
    <div class="collection">
      <div class="field">
        <label for="collection">{strings.collections.label}</label>
        <select
          id="collection"
          value={choice.chosen.value}
          onChange={(event) => {
            choice.chosen.value = event.currentTarget.value;
          }}
        >
          {choice.names.value.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
        <button
          type="button"
          aria-expanded={adding.value}
          onClick={() => {
            adding.value = !adding.value;
          }}
        >
          {adding.value ? strings.collections.cancel : strings.collections.add}
        </button>
      </div>
      {adding.value && (
        <form class="field" onSubmit={(event) => void create(event)}>
          <label for="new-collection">{strings.collections.name}</label>
          <input
            id="new-collection"
            required
            pattern="[a-z0-9][a-z0-9_\-]{0,62}"
            title={strings.collections.rule}
            autocapitalize="none"
            autocomplete="off"
            value={name.value}
            onInput={(event) => {
              name.value = event.currentTarget.value;
            }}
          />
          <button type="submit" class="primary" disabled={creation.busy.value}>
            {strings.collections.create}
          </button>
        </form>
      )}
      {creation.error.value && <ErrorNote error={creation.error.value} />}
    </div>
  );
}
