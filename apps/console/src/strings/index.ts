import { en } from './en.ts';

/** What every language has to say. */
export type Strings = typeof en;

/** The words of the page. English is the only language so far; another one is a second file of the type `Strings`. */
export const strings: Strings = en;
