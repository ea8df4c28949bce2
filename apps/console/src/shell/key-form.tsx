import { useSignal } from '@preact/signals';
import type { ApiKey } from '../api-key.ts';
import { strings } from '../strings/index.ts';

export function KeyForm({ apiKey, onSaved }: { apiKey: ApiKey; onSaved(): void }) {
  const draft = useSignal(apiKey.value.value);

  function save(key: string) {
    draft.value = key;
    apiKey.save(key);
    onSaved();
  }

  return (
    <details class="key" open={apiKey.wanted.value}>
      <summary>{strings.key.title}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save(draft.value);
        }}
      >
        {apiKey.wanted.value && (
          <p class="error" role="alert">
            {strings.key.wanted}
          </p>
        )}
        <label for="api-key">{strings.key.label}</label>
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
          {strings.key.hint}
        </p>
        <p class="actions">
          <button type="submit" class="primary">
            {strings.key.save}
          </button>
          {apiKey.value.value && (
            <button type="button" onClick={() => save('')}>
              {strings.key.forget}
            </button>
          )}
        </p>
      </form>
    </details>
  );
}
