import { createRequire } from 'node:module';
import type PptxGenJS from 'pptxgenjs';
import type { Article, Block } from './article.ts';
import { fixOfficeFile } from './fixed-zip.ts';

// The package's declarations describe its CommonJS entry as a namespace, which an import of the ESM entry isn't.
const PptxGen = createRequire(import.meta.url)('pptxgenjs') as typeof PptxGenJS.default;

/** Placeholders tell readers which text is the title of a slide. */
const master: Parameters<InstanceType<typeof PptxGen>['defineSlideMaster']>[0] = {
  title: 'Article',
  objects: [
    {
      placeholder: {
        options: { name: 'title', type: 'title', x: 0.6, y: 0.4, w: 12, h: 1, fontSize: 30, bold: true },
        text: '',
      },
    },
    {
      placeholder: {
        options: { name: 'body', type: 'body', x: 0.6, y: 1.7, w: 12, h: 5, fontSize: 20, valign: 'top' },
        text: '',
      },
    },
  ],
};

interface Slide {
  title: string;
  lines: { text: string; bullet: boolean }[];
}

/** The title and each level 2 heading start a slide. */
export async function writePptx({ title, blocks }: Article): Promise<Buffer> {
  const deck = new PptxGen();
  deck.layout = 'LAYOUT_WIDE';
  deck.title = title;
  deck.author = 'Sluice example corpus';
  deck.company = 'Sluice';
  deck.subject = 'Public procurement';
  deck.defineSlideMaster(master);
  for (const { title: heading, lines } of toSlides(title, blocks)) {
    const slide = deck.addSlide({ masterName: master.title });
    slide.addText(heading, { placeholder: 'title' });
    slide.addText(
      lines.map(({ text, bullet }) => ({ text, options: { bullet, breakLine: true } })),
      { placeholder: 'body' },
    );
  }
  return fixOfficeFile((await deck.write({ outputType: 'uint8array' })) as Uint8Array);
}

function toSlides(title: string, blocks: Block[]): Slide[] {
  let slide: Slide = { title, lines: [] };
  const slides = [slide];
  for (const block of blocks) {
    if (block.kind === 'heading') {
      slide = { title: block.text, lines: [] };
      slides.push(slide);
    } else if (block.kind === 'paragraph') slide.lines.push({ text: block.text, bullet: false });
    else if (block.kind === 'list') slide.lines.push(...block.items.map((text) => ({ text, bullet: true })));
    else throw new Error('tables have no place on these slides');
  }
  return slides;
}
