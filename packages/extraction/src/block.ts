/** A piece of a document in reading order. Format readers produce blocks; the chunker consumes them. */
export interface Block {
  kind: 'heading' | 'paragraph' | 'list_item' | 'table_row' | 'code';
  text: string;
  /** Of a heading: 1 is the highest. */
  level?: number;
  /** From 1; absent where the format has no pages. */
  page?: number;
  /** The block goes on where the one before it stopped, without a break between them. */
  continues?: boolean;
}

/** Where a reader finds the bytes, and how it is told about them. */
export interface Source {
  path: string;
  fileName: string | null;
  /** From the declared media type; a hint that the content may overrule. */
  charset: string | null;
}

export interface ReaderLimits {
  /** Bytes that all inflated parts of an archive may have together. */
  maxExpandedBytes: number;
  maxPages: number;
}

/** What a reader learns about the document on the way. */
export interface Findings {
  title: string | null;
  pages: number | null;
  metadata: Record<string, string>;
}

export interface ReaderContext {
  limits: ReaderLimits;
  findings: Findings;
  /** Tells how many bytes of buffers are allocated but not filled, so that they do not count as memory in use. */
  reserve(bytes: number): void;
}

export type Reader = (source: Source, context: ReaderContext) => AsyncIterable<Block>;
