import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import {
  type Chunk,
  type ChunkingOptions,
  createExtractor,
  detectFormat,
  type ExtractionSummary,
  type Extractor,
  type ExtractorOptions,
  type Format,
} from '../../src/index.ts';

export const limits: ExtractorOptions = {
  threads: 1,
  memoryMb: 384,
  timeoutMs: 20_000,
  maxExpandedBytes: 64 * 1024 * 1024,
};

export interface Document {
  chunks: Chunk[];
  text: string;
  summary: ExtractionSummary;
}

export interface ReadOptions {
  mediaType?: string;
  format?: Format;
  chunking?: ChunkingOptions;
}

/** A folder for files, and an extractor, both gone after the tests of a file. */
export function createWorkspace(options: Partial<ExtractorOptions> = {}) {
  const folder = mkdtemp(join(tmpdir(), 'extraction-'));
  const extractor: Extractor = createExtractor({ ...limits, ...options });
  let files = 0;

  afterAll(async () => {
    await extractor.close();
    await rm(await folder, { recursive: true, force: true });
  });

  async function save(name: string, content: string | Uint8Array): Promise<string> {
    files += 1;
    const path = join(await folder, `${files}-${name}`);
    await writeFile(path, content);
    return path;
  }

  /** What happens to an upload: its format is detected by its first 4 KiB, then it is read. */
  async function read(name: string, content: string | Uint8Array, more: ReadOptions = {}): Promise<Document> {
    const bytes = Buffer.from(content as Uint8Array);
    const head = bytes.subarray(0, 4096);
    const format = more.format ?? detectFormat({ fileName: name, mediaType: more.mediaType, head });
    const extraction = extractor.extract({ path: await save(name, bytes), format, fileName: name, ...more });
    const chunks = (await Array.fromAsync(extraction)).flat();
    return {
      chunks,
      text: chunks.map((chunk) => chunk.text).join('\n----\n'),
      summary: await extraction.summary,
    };
  }

  return { extractor, save, read };
}

/** The code of the error that a promise is rejected with, or what it gave instead. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return { resolved: await work };
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
}
