import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalProvider } from '@sluice/embeddings';
import { type Chunk, createExtractor, detectFormat } from '@sluice/extraction';
import { bytesOf, type Content, fileNameOf } from '../corpus/content.ts';
import type { SentDocument } from '../ledger.ts';
import type { Services } from '../services.ts';

export interface ExpectedChunk extends Chunk {
  /** As the database sends it: `vector_send`. */
  vector: Buffer;
}

/** What should have come of what was sent, computed from it alone. */
export interface Reference extends AsyncDisposable {
  /** In order of `ordinal`. Computed once for a version. */
  chunksOf(document: SentDocument, content: Content): Promise<ExpectedChunk[]>;
}

export async function createReference({ collections, embeddings }: Services): Promise<Reference> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-chaos-'));
  const path = join(folder, 'document');
  const extractor = createExtractor({
    threads: 1,
    memoryMb: 512,
    timeoutMs: 120_000,
    maxExpandedBytes: 2 ** 30,
  });
  const local = createLocalProvider({ dimensions: collections.plain.dimensions });
  const known = new WeakMap<Content, ExpectedChunk[]>();

  async function extract({ key, collection }: SentDocument, content: Content): Promise<Chunk[]> {
    const bytes = bytesOf(content);
    await writeFile(path, bytes);
    const fileName = fileNameOf(content, key);
    const { chunkMaxTokens: maxTokens, chunkOverlapTokens: overlapTokens } = collections[collection];
    const extraction = extractor.extract({
      path,
      fileName,
      format: detectFormat({ fileName, mediaType: undefined, head: bytes.subarray(0, 4_096) }),
      chunking: { maxTokens, overlapTokens },
    });
    return (await Array.fromAsync(extraction)).flat();
  }

  async function embed({ collection }: SentDocument, texts: string[]): Promise<Float32Array[]> {
    if (collection === 'plain') return local.embed(texts, { purpose: 'document' });
    return texts.map((text) => embeddings.vectorOf(text));
  }

  return {
    async chunksOf(document, content) {
      const before = known.get(content);
      if (before) return before;
      const chunks = await extract(document, content);
      const texts = chunks.map(({ headingPath, text }) => [...headingPath, text].join('\n'));
      const vectors = (await embed(document, texts)).map(encode);
      const expected = chunks.map((chunk, i) => ({ ...chunk, vector: vectors[i] as Buffer }));
      known.set(content, expected);
      return expected;
    },
    async [Symbol.asyncDispose]() {
      await extractor.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** int16 dimensions, int16 zero, big-endian float4. */
function encode(vector: Float32Array): Buffer {
  const bytes = Buffer.alloc(4 + 4 * vector.length);
  bytes.writeInt16BE(vector.length, 0);
  vector.forEach((value, i) => void bytes.writeFloatBE(value, 4 + 4 * i));
  return bytes;
}
