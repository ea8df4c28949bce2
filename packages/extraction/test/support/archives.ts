import { buffer } from 'node:stream/consumers';
import yauzl from 'yauzl';
import yazl from 'yazl';

export type Part = string | Uint8Array;

/** A ZIP archive. Parts whose name begins with `=` are stored, not deflated. */
export async function zip(parts: Record<string, Part>): Promise<Buffer> {
  const archive = new yazl.ZipFile();
  for (const [name, part] of Object.entries(parts)) {
    archive.addBuffer(Buffer.from(part as Uint8Array), name.replace(/^=/, ''), {
      compress: !name.startsWith('='),
    });
  }
  archive.end();
  return buffer(archive.outputStream as NodeJS.ReadableStream & AsyncIterable<Buffer>);
}

const relationType = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';

/** What any Office document has around its main part. */
export function officeParts(main: string): Record<string, string> {
  return {
    '[Content_Types].xml': '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    '_rels/.rels': `<Relationships><Relationship Id="a" Type="${relationType}/officeDocument" Target="${main}"/></Relationships>`,
  };
}

/** A Word document with a body of your own. */
export function docxOf(body: string, prolog = ''): Promise<Buffer> {
  return zip({
    ...officeParts('word/document.xml'),
    'word/document.xml': `<?xml version="1.0"?>${prolog}<w:document ${word}><w:body>${body}</w:body></w:document>`,
  });
}

/** An EPUB of chapters; the spine has them in the order given, the archive in the reverse one. */
export function epubOf(
  title: string,
  chapters: Record<string, string>,
  more: Record<string, Part> = {},
): Promise<Buffer> {
  const names = Object.keys(chapters);
  const items = names.map(
    (name, at) => `<item id="c${at}" href="${encodeURI(name)}" media-type="application/xhtml+xml"/>`,
  );
  const spine = names.map((_, at) => `<itemref idref="c${at}"/>`);
  const files = names.toReversed().map((name) => [`OEBPS/${name}`, chapters[name]!] as const);
  return zip({
    '=mimetype': 'application/epub+zip',
    'META-INF/container.xml':
      '<container><rootfiles><rootfile full-path="OEBPS/content.opf"/></rootfiles></container>',
    'OEBPS/content.opf': `<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>${title}</dc:title><dc:creator>Lê An</dc:creator></metadata><manifest>${items.reverse().join('')}</manifest><spine>${spine.join('')}</spine></package>`,
    ...Object.fromEntries(files),
    ...more,
  });
}

/** The same archive with every part, by name and bytes, replaced by what `change` gives. */
export async function repack(bytes: Buffer, change: (name: string, part: Buffer) => Buffer): Promise<Buffer> {
  const archive = await yauzl.fromBufferPromise(bytes, { lazyEntries: true });
  const parts: Record<string, Part> = {};
  for await (const entry of archive.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue;
    const part = await buffer(await archive.openReadStreamPromise(entry));
    parts[entry.fileName === 'mimetype' ? '=mimetype' : entry.fileName] = change(entry.fileName, part);
  }
  return zip(parts);
}
