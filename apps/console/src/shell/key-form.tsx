import { useSignal } from '@preact/signals';
import type { ApiKey } from '../api-key.ts';
import { strings } from '../strings/index.ts';

export function KeyForm({ apiKey, onSaved }: { apiKey: ApiKey; onSaved(): void }) {
  const draft = useSignal(apiKey.value.value);
  const words = strings.value.key;

  function save(key: string) {
    draft.value = key;
    apiKey.save(key);
    onSaved();
  }

  return (
    <form
      class="key-form"
      onSubmit={(event) => {
        event.preventDefault();
        save(draft.value);
      }}
    >
      <label for="api-key">{words.label}</label>
      <input
        id="api-key"
        type="password"
        autocomplete="off"
        spellcheck={false}
        aria-describedby="api-key-hint"
        value={draft.value}
        onInput={(event) => {
          draft.value = event.currentTarget.value;
        }}
      />
      <p id="api-key-hint" class="small">
        {words.hint}
      </p>
      <p class="actions">
        <button type="submit" class="primary">
          {words.save}
        </button>
        {apiKey.value.value && (
          <button type="button" onClick={() => save('')}>
            {words.forget}
          </button>
        )}
      </p>
    </form>
  );
}

/** In front of everything else while the server wants a key. */
export function KeyWanted({ apiKey, onSaved }: { apiKey: ApiKey; onSaved(): void }) {
  if (!apiKey.wanted.value) return null;
  return (
    <section class="card key-wanted">
      <p role="alert">{strings.value.key.wanted}</p>
      <KeyForm apiKey={apiKey} onSaved={onSaved} />
    </section>
  );
}
