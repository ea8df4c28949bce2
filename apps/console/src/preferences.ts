import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { type Language, language, languages } from './strings/index.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

export interface Preferences {
  language: ReadonlySignal<Language>;
  theme: ReadonlySignal<Theme>;
  speak(language: Language): void;
  dress(theme: Theme): void;
}

// Some browsers throw where a page may keep nothing; it then forgets.
function read(name: string): string | null {
  try {
    return localStorage.getItem(`sluice.${name}`);
  } catch {
    return null;
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`sluice.${name}`, value);
  } catch {}
}

function isLanguage(value: string | null): value is Language {
  return value !== null && Object.hasOwn(languages, value);
}

function firstLanguage(): Language {
  const wanted = [read('language'), ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
  return wanted.find(isLanguage) ?? 'en';
}

/** How the page looks and speaks: as was chosen here before, else as the device says. Only what is chosen is kept. */
export function createPreferences(): Preferences {
  const kept = read('theme');
  const theme = signal<Theme>(themes.find((each) => each === kept) ?? 'system');
  language.value = firstLanguage();
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    document.documentElement.lang = language.value;
  });
  return {
    language,
    theme,
    speak(chosen) {
      language.value = chosen;
      keep('language', chosen);
    },
    dress(chosen) {
      theme.value = chosen;
      keep('theme', chosen);
    },
  };
}
