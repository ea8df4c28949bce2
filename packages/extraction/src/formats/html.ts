import { open } from 'node:fs/promises';
import type { Block, ReaderContext, Source } from '../block.ts';
import { decodeFile } from '../text/decode.ts';
import { createMarkupReader } from './markup.ts';

/** HTML: headings, paragraphs, lists, tables and code, without navigation, forms and scripts. */
export async function* readHtml(source: Source, { findings }: ReaderContext): AsyncGenerator<Block> {
  const reader = createMarkupReader();
  for await (const text of decodeFile(source.path, (await declaredCharset(source.path)) ?? source.charset)) {
    yield* reader.write(text);
  }
  yield* reader.end();
  findings.title = reader.title();
  Object.assign(findings.metadata, reader.metadata());
}

/** The page's own word on its encoding, which browsers look for in its first 1 024 bytes. */
async function declaredCharset(path: string): Promise<string | null> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
  const head = buffer.toString('latin1', 0, bytesRead);
  const match =
    /<meta[^>]+charset\s*=\s*["']?\s*([\w.:-]+)/i.exec(head) ??
    /^<\?xml[^>]+encoding=["']([\w.:-]+)/i.exec(head);
  return match?.[1] ?? null;
}
