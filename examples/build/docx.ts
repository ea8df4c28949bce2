import {
  AlignmentType,
  Document,
  type FileChild,
  HeadingLevel,
  LevelFormat,
  Packer,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  WidthType,
} from 'docx';
import type { Article, Block } from './article.ts';
import { fixOfficeFile } from './fixed-zip.ts';

const headings = [HeadingLevel.HEADING_1, HeadingLevel.HEADING_2, HeadingLevel.HEADING_3] as const;

export async function writeDocx({ title, language, blocks }: Article): Promise<Buffer> {
  const document = new Document({
    title,
    creator: 'Sluice example corpus',
    styles: {
      default: { document: { run: { language: { value: language === 'vi' ? 'vi-VN' : 'en-GB' } } } },
    },
    numbering: {
      config: [
        {
          reference: 'steps',
          levels: [{ level: 0, format: LevelFormat.DECIMAL, text: '%1.', alignment: AlignmentType.START }],
        },
      ],
    },
    sections: [
      {
        children: [
          new Paragraph({ text: title, heading: HeadingLevel.HEADING_1 }),
          ...blocks.flatMap(toParts),
        ],
      },
    ],
  });
  return fixOfficeFile(await Packer.toBuffer(document));
}

function toParts(block: Block): FileChild[] {
  switch (block.kind) {
    case 'heading':
      return [
        new Paragraph({ text: block.text, heading: headings[block.level - 1] ?? HeadingLevel.HEADING_4 }),
      ];
    case 'paragraph':
      return [new Paragraph(block.text)];
    case 'list':
      return block.items.map(
        (text) =>
          new Paragraph({
            text,
            ...(block.ordered ? { numbering: { reference: 'steps', level: 0 } } : { bullet: { level: 0 } }),
          }),
      );
    case 'table':
      return [new Table({ width: { size: 100, type: WidthType.PERCENTAGE }, rows: block.rows.map(toRow) })];
  }
}

function toRow(cells: string[]): TableRow {
  return new TableRow({ children: cells.map((cell) => new TableCell({ children: [new Paragraph(cell)] })) });
}
