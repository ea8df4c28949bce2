import { computed, signal } from '@preact/signals';
import { en } from './en.ts';
import { vi } from './vi.ts';

/** What every language has to say. */
export type Strings = typeof en;

export const languages = { en, vi } satisfies Record<string, Strings>;
export type Language = keyof typeof languages;

export const language = signal<Language>('en');

/** The words of the page in the language that is chosen. */
export const strings = computed<Strings>(() => languages[language.value]);
