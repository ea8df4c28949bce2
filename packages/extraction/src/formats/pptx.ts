import { mainPart, readCoreProperties, readRelations } from '../archive/open-xml.ts';
import { attribute, parseWholeXml, parseXml, prefixedAttribute, type XmlHandlers } from '../archive/xml.ts';
import { openArchive, type ZipArchive } from '../archive/zip-archive.ts';
import type { Block, ReaderContext, Source } from '../block.ts';
import { ExtractionError } from '../errors.ts';
import { createTableReader } from './table.ts';

/** PowerPoint: a page per slide, in the order of the show: its title as heading, its text, tables and speaker notes. */
export async function* readPptx(source: Source, { limits, findings }: ReaderContext): AsyncGenerator<Block> {
  await using archive = await openArchive(source.path, limits.maxExpandedBytes);
  await readCoreProperties(archive, findings);
  const main = await mainPart(archive, 'ppt/presentation.xml');
  const slides = await slideOrder(archive, main);
  findings.pages = slides.length;
  if (slides.length > limits.maxPages) throw tooManySlides(slides.length, limits.maxPages);
  for (const [at, slide] of slides.entries()) {
    const page = at + 1;
    for await (const block of slideBlocks(archive, slide)) yield { ...block, page };
    const relations = [...(await readRelations(archive, slide)).values()];
    const notes = relations.find((it) => it.type === 'notesSlide')?.target;
    if (notes === undefined || !archive.has(notes)) continue;
    for await (const block of slideBlocks(archive, notes)) yield { ...block, kind: 'paragraph', page };
  }
}

async function slideOrder(archive: ZipArchive, main: string): Promise<string[]> {
  const relations = await readRelations(archive, main);
  const slides: string[] = [];
  await parseWholeXml(archive, main, {
    open(name, attributes) {
      const target = relations.get(prefixedAttribute(attributes, 'id') ?? '')?.target;
      if (name === 'sldId' && target !== undefined && archive.has(target)) slides.push(target);
    },
  });
  // A small file could show one slide thousands of times.
  return [...new Set(slides)];
}

async function* slideBlocks(archive: ZipArchive, part: string): AsyncGenerator<Block> {
  const out: Block[] = [];
  for await (const _ of parseXml(archive, part, slideHandlers(out))) yield* out.splice(0);
}

/** Placeholders that repeat on every slide, or hold a picture of the slide. */
const decoration = new Set(['sldNum', 'dt', 'ftr', 'hdr', 'sldImg']);

function slideHandlers(out: Block[]): XmlHandlers {
  let placeholder = '';
  let text = '';
  let inText = false;
  const table = createTableReader();
  let rows = 0;
  const cell: string[] = [];

  function endParagraph(): void {
    const body = text;
    text = '';
    if (table.inCell()) cell.push(body);
    else if (body.trim() === '' || decoration.has(placeholder)) return;
    else if (/^(ctrT|t)itle$/.test(placeholder)) out.push({ kind: 'heading', level: 1, text: body });
    else out.push({ kind: placeholder === 'subTitle' ? 'paragraph' : 'list_item', text: body });
  }

  return {
    open(name, attributes) {
      if (name === 'sp' || name === 'graphicFrame') placeholder = '';
      else if (name === 'ph') placeholder = attribute(attributes, 'type') ?? 'body';
      else if (name === 'tbl') rows = 0;
      else if (name === 'tr') table.startRow();
      // A slide's table has its column names in the first row, as a rule.
      else if (name === 'tc') table.startCell(rows === 0);
      else if (name === 't') inText = true;
      else if (name === 'br') text += '\n';
    },
    text(piece) {
      if (inText) text += piece;
    },
    close(name) {
      if (name === 't') inText = false;
      else if (name === 'p') endParagraph();
      else if (name === 'tc') table.endCell(cell.splice(0).join(' '));
      else if (name === 'tr') {
        rows += 1;
        out.push(...table.endRow());
      } else if (name === 'tbl') out.push(...table.end());
    },
  };
}

function tooManySlides(pages: number, limit: number): ExtractionError {
  return new ExtractionError(
    'too_many_pages',
    `The presentation has ${pages} slides; the limit is ${limit}.`,
    {
      details: { pages, limit },
    },
  );
}
