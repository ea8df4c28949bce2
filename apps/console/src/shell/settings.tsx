import { useSignal } from '@preact/signals';
import type { ApiKey } from '../api-key.ts';
import { type Preferences, type Theme, themes } from '../preferences.ts';
import { type Language, languages, strings } from '../strings/index.ts';
import { Icon } from './icon.tsx';
import { KeyForm } from './key-form.tsx';

function Choices({ preferences }: { preferences: Preferences }) {
  const words = strings.value.shell;
  return (
    <>
      <div class="field">
        <label for="language">{words.language}</label>
        <select
          id="language"
          value={preferences.language.value}
          onChange={(event) => preferences.speak(event.currentTarget.value as Language)}
        >
          {Object.entries(languages).map(([code, { language }]) => (
            <option key={code} value={code} lang={code}>
              {language}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for="theme">{words.theme}</label>
        <select
          id="theme"
          value={preferences.theme.value}
          onChange={(event) => preferences.dress(event.currentTarget.value as Theme)}
        >
          {themes.map((theme) => (
            <option key={theme} value={theme}>
              {words.themes[theme]}
            </option>
          ))}
        </select>
      </div>
    </>
  );
}

export interface SettingsProps {
  apiKey: ApiKey;
  preferences: Preferences;
  reload(): void;
}

/** Always in sight beside a wide page, behind a button on a narrow one. */
export function Settings({ apiKey, preferences, reload }: SettingsProps) {
  const open = useSignal(false);
  const words = strings.value.shell;
  return (
    <>
      <button
        type="button"
        class="settings-button"
        aria-expanded={open.value}
        aria-controls="settings"
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <Icon name={open.value ? 'close' : 'settings'} />
        <span class="visually-hidden">{words.settings}</span>
      </button>
      <div id="settings" class="settings" data-open={open.value}>
        <nav class="elsewhere" aria-label={words.elsewhere}>
          <a href="/docs" target="_blank" rel="noreferrer">
            {words.docs} <Icon name="outside" />
            <span class="visually-hidden">{words.newTab}</span>
          </a>
          <a href="/admin/queues" target="_blank" rel="noreferrer">
            {words.queues} <Icon name="outside" />
            <span class="visually-hidden">{words.newTab}</span>
          </a>
        </nav>
        <Choices preferences={preferences} />
        {!apiKey.wanted.value && (
          <details class="key">
            <summary>{strings.value.key.title}</summary>
            <KeyForm apiKey={apiKey} onSaved={reload} />
          </details>
        )}
      </div>
    </>
  );
}
