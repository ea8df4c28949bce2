import { strToU8 } from 'fflate';
import { type Article, type Block, listMark } from './article.ts';
import { buildDate, fixedZip } from './fixed-zip.ts';

interface Chapter {
  id: string;
  title: string;
  body: string;
}

/** EPUB 3 with one XHTML file per level 2 heading. `identifier` is the book's URN. */
export function writeEpub({ title, language, blocks }: Article, identifier: string): Buffer {
  const chapters = toChapters(blocks);
  const page = (heading: string, body: string) =>
    strToU8(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="${language}" xml:lang="${language}">
<head><meta charset="utf-8"/><title>${escapeXml(heading)}</title></head>
<body>
${body}
</body>
</html>
`);
  const contents = chapters.map(
    ({ id, title: text }) => `<li><a href="${id}.xhtml">${escapeXml(text)}</a></li>`,
  );
  return fixedZip({
    // Readers look for the type at a fixed offset: first entry, not compressed.
    mimetype: [strToU8('application/epub+zip'), { level: 0 }],
    'META-INF/container.xml': strToU8(container),
    'OEBPS/content.opf': strToU8(packageDocument(title, language, identifier, chapters)),
    'OEBPS/nav.xhtml': page(
      title,
      `<nav epub:type="toc"><h1>${escapeXml(title)}</h1><ol>${contents.join('')}</ol></nav>`,
    ),
    ...Object.fromEntries(
      chapters.map(({ id, title: heading, body }) => [`OEBPS/${id}.xhtml`, page(heading, body)]),
    ),
  });
}

const container = `<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
`;

function packageDocument(title: string, language: string, identifier: string, chapters: Chapter[]): string {
  const items = chapters.map(
    ({ id }) => `<item id="${id}" href="${id}.xhtml" media-type="application/xhtml+xml"/>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<package version="3.0" xmlns="http://www.idpf.org/2007/opf" unique-identifier="id">
  <metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
    <dc:identifier id="id">${identifier}</dc:identifier>
    <dc:title>${escapeXml(title)}</dc:title>
    <dc:language>${language}</dc:language>
    <meta property="dcterms:modified">${buildDate.toISOString().replace('.000', '')}</meta>
  </metadata>
  <manifest>
    <item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
    ${items.join('\n    ')}
  </manifest>
  <spine>${chapters.map(({ id }) => `<itemref idref="${id}"/>`).join('')}</spine>
</package>
`;
}

function toChapters(blocks: Block[]): Chapter[] {
  const chapters: Chapter[] = [];
  for (const block of blocks) {
    if (block.kind === 'heading' && block.level === 2) {
      chapters.push({ id: `chapter-${chapters.length + 1}`, title: block.text, body: '' });
    }
    const chapter = chapters.at(-1);
    if (!chapter) throw new Error('a book starts with a level 2 heading');
    chapter.body += toXhtml(block);
  }
  return chapters;
}

function toXhtml(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level - 1}>${escapeXml(block.text)}</h${block.level - 1}>\n`;
    case 'paragraph':
      return `<p>${escapeXml(block.text)}</p>\n`;
    case 'list':
      return block.items
        .map((item, index) => `<p>${listMark(block.ordered, index)} ${escapeXml(item)}</p>\n`)
        .join('');
    case 'table':
      return `<table>${block.rows
        .map((row) => `<tr>${row.map((cell) => `<td>${escapeXml(cell)}</td>`).join('')}</tr>`)
        .join('\n')}</table>\n`;
  }
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
