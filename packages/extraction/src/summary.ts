import type { Format } from './formats.ts';

export interface ExtractionSummary {
  /** The format that the content turned out to have. */
  format: Format;
  title: string | null;
  /** Of the extracted text, in UTF-16 units. */
  characters: number;
  chunks: number;
  /** Pages of a PDF or slides of a presentation; null where the format has none. */
  pages: number | null;
  /** What the document says about itself: author, language, created, ... */
  metadata: Record<string, string>;
}
