import { posix } from 'node:path';
import { TextDecoder } from 'node:util';
import { attribute, parseWholeXml } from '../archive/xml.ts';
import { openArchive, type ZipArchive } from '../archive/zip-archive.ts';
import type { Block, Findings, ReaderContext, Source } from '../block.ts';
import { ExtractionError } from '../errors.ts';
import { cleanLine } from '../text/clean-text.ts';
import { createMarkupReader } from './markup.ts';

/** EPUB: the chapters in the order of the spine, each read as HTML. */
export async function* readEpub(source: Source, { limits, findings }: ReaderContext): AsyncGenerator<Block> {
  await using archive = await openArchive(source.path, limits.maxExpandedBytes);
  await refuseProtected(archive);
  const root = await rootFile(archive);
  for (const chapter of await readPackage(archive, root, findings)) yield* readChapter(archive, chapter);
}

/** Fonts may be obfuscated in any book; a protected one has its chapters encrypted. */
async function refuseProtected(archive: ZipArchive): Promise<void> {
  if (!archive.has('META-INF/encryption.xml')) return;
  const encrypted: string[] = [];
  await parseWholeXml(archive, 'META-INF/encryption.xml', {
    open(name, attributes) {
      if (name === 'CipherReference') encrypted.push(attribute(attributes, 'URI') ?? '');
    },
  });
  if (encrypted.some((uri) => /\.(x?html?|xml)$/i.test(uri))) {
    throw new ExtractionError('encrypted_document', 'The book is protected (DRM).');
  }
}

async function rootFile(archive: ZipArchive): Promise<string> {
  let path: string | null = null;
  await parseWholeXml(archive, 'META-INF/container.xml', {
    open(name, attributes) {
      if (name === 'rootfile') path ??= attribute(attributes, 'full-path');
    },
  });
  if (path === null) throw new ExtractionError('broken_document', 'The EPUB does not name its package file.');
  return path;
}

const described: Record<string, string> = {
  creator: 'author',
  language: 'language',
  publisher: 'publisher',
  date: 'created',
};

/** The names of the chapters, in reading order. */
async function readPackage(archive: ZipArchive, root: string, findings: Findings): Promise<string[]> {
  const folder = posix.dirname(root);
  const items = new Map<string, string>();
  const spine: string[] = [];
  let text = '';
  await parseWholeXml(archive, root, {
    open(name, attributes) {
      text = '';
      const href = attribute(attributes, 'href');
      if (name === 'item' && href !== null && !/\bnav\b/.test(attribute(attributes, 'properties') ?? '')) {
        items.set(attribute(attributes, 'id') ?? '', posix.join(folder, decodeName(href)));
      } else if (name === 'itemref') spine.push(attribute(attributes, 'idref') ?? '');
    },
    text(piece) {
      text += piece;
    },
    close(name) {
      const value = cleanLine(text).slice(0, 1000);
      text = '';
      if (value === '') return;
      if (name === 'title') findings.title ??= value;
      else if (described[name] !== undefined) findings.metadata[described[name]] ??= value;
    },
  });
  const chapters = new Set(spine.flatMap((id) => items.get(id) ?? []));
  return [...chapters].filter((name) => archive.has(name) && /\.(x?html?|xml)$/i.test(name));
}

function decodeName(href: string): string {
  try {
    return decodeURIComponent(href.replace(/#.*$/, ''));
  } catch {
    return href;
  }
}

async function* readChapter(archive: ZipArchive, name: string): AsyncGenerator<Block> {
  const reader = createMarkupReader({ xhtml: true });
  let decoder: TextDecoder | null = null;
  for await (const bytes of archive.read(name)) {
    decoder ??= new TextDecoder(
      /^(\xff\xfe|<\0)/.test(Buffer.from(bytes.subarray(0, 2)).toString('latin1')) ? 'utf-16le' : 'utf-8',
    );
    yield* reader.write(decoder.decode(bytes, { stream: true }));
  }
  yield* reader.end();
}
