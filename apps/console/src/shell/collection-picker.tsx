import { useSignal } from '@preact/signals';
import type { CollectionChoice } from '../collection-choice.ts';
import { strings } from '../strings/index.ts';
import { ErrorNote } from './error-note.tsx';
import { Icon } from './icon.tsx';
import { useAction } from './use-action.ts';

function NewCollection({ choice, onDone }: { choice: CollectionChoice; onDone(): void }) {
  const name = useSignal('');
  const creation = useAction();
  const words = strings.value.collections;

  async function create(event: Event) {
    event.preventDefault();
    if (await creation.run(() => choice.create(name.value))) onDone();
  }

  return (
    <form class="field" onSubmit={(event) => void create(event)}>
      <label for="new-collection">{words.name}</label>
      <input
        id="new-collection"
        required
        pattern="[a-z0-9][a-z0-9_\-]{0,62}"
        title={words.rule}
        autocapitalize="none"
        autocomplete="off"
        value={name.value}
        onInput={(event) => {
          name.value = event.currentTarget.value;
        }}
      />
      <button type="submit" class="primary" disabled={creation.busy.value}>
        {words.create}
      </button>
      {creation.error.value && <ErrorNote error={creation.error.value} />}
    </form>
  );
}

export function CollectionPicker({ choice }: { choice: CollectionChoice }) {
  const adding = useSignal(false);
  const words = strings.value.collections;
  return (
    <div class="collection">
      <div class="field">
        <label for="collection">{words.label}</label>
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
          <Icon name={adding.value ? 'close' : 'add'} />
          {adding.value ? words.cancel : words.add}
        </button>
      </div>
      {adding.value && (
        <NewCollection
          choice={choice}
          onDone={() => {
            adding.value = false;
          }}
        />
      )}
    </div>
  );
}
