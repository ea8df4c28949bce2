import { type Signal, signal } from '@preact/signals';

const entry = 'sluice.api-key';

export interface ApiKey {
  /** Empty: none */
  value: Signal<string>;
  /** The server asked for a key, or refused the one it got. */
  wanted: Signal<boolean>;
  save(key: string): void;
}

/** Kept for this tab only, and until it is closed. */
export function createApiKey(storage: Storage): ApiKey {
  const value = signal(storage.getItem(entry) ?? '');
  const wanted = signal(false);
  return {
    value,
    wanted,
    save(key) {
      value.value = key.trim();
      wanted.value = false;
      if (value.value) storage.setItem(entry, value.value);
      else storage.removeItem(entry);
    },
  };
}
