import { ExtractionError } from '../errors.ts';

export interface ChunkingOptions {
  /** Most tokens a chunk may have, 16 to 4096. Larger chunks keep more context, smaller ones match more sharply. */
  maxTokens: number;
  /** Most tokens a chunk repeats from the end of the one before it: 0 to half of `maxTokens`. */
  overlapTokens: number;
}

/**
 * A page of English prose has about 600 tokens, one of Vietnamese about 1 200: 400 is a section or a few paragraphs. The
 * overlap holds one long sentence in Vietnamese (about 90 tokens for a sentence of law) or two to three in English.
 */
export const defaultChunking: ChunkingOptions = { maxTokens: 400, overlapTokens: 80 };

/** @throws {ExtractionError} `invalid_options` with `details.option`, `details.value` and `details.expected`. */
export function validateChunking({ maxTokens, overlapTokens }: ChunkingOptions): ChunkingOptions {
  if (!Number.isInteger(maxTokens) || maxTokens < 16 || maxTokens > 4096) {
    throw invalid('maxTokens', maxTokens, 'a whole number from 16 to 4096');
  }
  const most = Math.floor(maxTokens / 2);
  if (!Number.isInteger(overlapTokens) || overlapTokens < 0 || overlapTokens > most) {
    throw invalid('overlapTokens', overlapTokens, `a whole number from 0 to ${most}, half of maxTokens`);
  }
  return { maxTokens, overlapTokens };
}

function invalid(option: string, value: number, expected: string): ExtractionError {
  const message = `Chunking option ${option} is ${value}; expected ${expected}.`;
  return new ExtractionError('invalid_options', message, { details: { option, value, expected } });
}
