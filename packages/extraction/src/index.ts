// Readers, blocks and the thread protocol are withheld: callers see documents only as chunks.
export type { Chunk } from './chunking/chunk.ts';
export { type ChunkingOptions, defaultChunking, validateChunking } from './chunking/chunking-options.ts';
export { createRejoiner } from './chunking/rejoin.ts';
export { countTokens } from './chunking/tokens.ts';
export { type DetectionInput, detectFormat } from './detect-format.ts';
export { type ErrorDetails, ExtractionError, type ExtractionErrorCode, errorCodes } from './errors.ts';
export {
  createExtractor,
  type Extraction,
  type ExtractionInput,
  type Extractor,
  type ExtractorOptions,
} from './extractor.ts';
export { type Format, type FormatDescription, formats } from './formats.ts';
export type { ExtractionSummary } from './summary.ts';
