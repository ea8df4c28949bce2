export interface Chunk {
  /** From 0, without gaps. */
  ordinal: number;
  /** `document.slice(charStart, charEnd)`, without blanks at either end. Headings above it are in `headingPath` only. */
  text: string;
  /** In `cl100k_base`, never more than `maxTokens`. */
  tokens: number;
  /** The page of the first text that the chunk does not repeat, from 1. A chunk never goes on to the next page. */
  page: number | null;
  /** Headings, highest first, above the first text that the chunk does not repeat. */
  headingPath: string[];
  /**
   * UTF-16 units into the extracted text: its blocks, joined by one line end between the single lines of a list or a table
   * and by two elsewhere.
   */
  charStart: number;
  /** Exclusive. */
  charEnd: number;
}
