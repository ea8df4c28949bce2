import {
  Document,
  Footer,
  FootnoteReferenceRun,
  HeadingLevel,
  LevelFormat,
  Packer,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  TextRun,
} from 'docx';
import pptxgen from 'pptxgenjs';
import writeXlsx from 'write-excel-file/node';

export function docx(): Promise<Buffer> {
  const row = (cells: string[]) =>
    new TableRow({ children: cells.map((cell) => new TableCell({ children: [new Paragraph(cell)] })) });
  const document = new Document({
    title: 'Hướng dẫn đấu thầu',
    creator: 'Trần Bình',
    footnotes: { 1: { children: [new Paragraph('Chú thích về bảo đảm dự thầu.')] } },
    sections: [
      {
        footers: { default: new Footer({ children: [new Paragraph('Page footer')] }) },
        children: [
          new Paragraph({ text: 'Chương I. Quy định chung', heading: HeadingLevel.HEADING_1 }),
          new Paragraph({
            children: [
              new TextRun('Nhà thầu phải '),
              new TextRun({ text: 'nộp hồ sơ', bold: true }),
              new FootnoteReferenceRun(1),
            ],
          }),
          new Paragraph({ text: 'Mục 1', heading: HeadingLevel.HEADING_2 }),
          new Paragraph({ text: 'Điểm thứ nhất', bullet: { level: 0 } }),
          new Table({ rows: [row(['Gói thầu', 'Giá']), row(['Cầu', '5 tỷ']), row(['Đường', '7 tỷ'])] }),
        ],
      },
    ],
  });
  return Packer.toBuffer(document);
}

/** Articles and points that Word numbers itself: their numbers are not in the text. */
export function numberedDocx(): Promise<Buffer> {
  const levels = [
    { level: 0, format: LevelFormat.DECIMAL, text: 'Điều %1.' },
    { level: 1, format: LevelFormat.LOWER_LETTER, text: '%2)' },
  ];
  const article = (text: string) =>
    new Paragraph({ text, heading: HeadingLevel.HEADING_1, numbering: { reference: 'law', level: 0 } });
  const point = (text: string) => new Paragraph({ text, numbering: { reference: 'law', level: 1 } });
  const children = [
    article('Phạm vi'),
    point('Gói thầu tư vấn'),
    point('Gói thầu xây lắp'),
    article('Đối tượng'),
    point('Tổ chức'),
  ];
  return Packer.toBuffer(
    new Document({ numbering: { config: [{ reference: 'law', levels }] }, sections: [{ children }] }),
  );
}

export async function pptx(): Promise<Buffer> {
  // The types of this package describe its class as the module itself.
  const deck = new (pptxgen as unknown as new () => import('pptxgenjs').default)();
  deck.title = 'Báo cáo đấu thầu';
  deck.defineSlideMaster({
    title: 'plain',
    objects: [
      { placeholder: { options: { name: 'head', type: 'title', x: 0, y: 0, w: 9, h: 1 }, text: '' } },
    ],
  });
  const first = deck.addSlide({ masterName: 'plain' });
  first.addText('Kết quả năm 2025', { placeholder: 'head' });
  first.addText('Ba gói thầu đã ký hợp đồng.', { x: 1, y: 1, w: 8, h: 1 });
  first.addNotes('Nhắc đến tiến độ giải ngân.');
  const second = deck.addSlide({ masterName: 'plain' });
  second.addText('Outlook', { placeholder: 'head' });
  const cells = [
    ['Package', 'Value'],
    ['Bridge', '12'],
  ].map((row) => row.map((text) => ({ text })));
  second.addTable(cells, { x: 1, y: 2 });
  return (await deck.write({ outputType: 'nodebuffer' })) as Buffer;
}

export async function xlsx(): Promise<Buffer> {
  const head = ['Tên hàng', 'Số lượng', 'Ngày giao', 'Tỷ lệ'].map((value) => ({ value }));
  const row = (name: string, amount: number, date: string, share: number) => [
    { value: name },
    { type: Number, value: amount },
    { type: Date, value: new Date(`${date}T00:00:00Z`), format: 'dd/mm/yyyy' },
    { type: Number, value: share, format: '0.0%' },
  ];
  const goods = [head, row('Bút bi', 1200, '2026-03-04', 0.125), row('Giấy', 30.5, '2025-12-31', 1)];
  const sheets = [
    { data: goods, sheet: 'Hàng hóa' },
    { data: [[{ value: 'Ghi chú' }], [{ value: 'Giao tại kho' }]], sheet: 'Khác' },
  ];
  return writeXlsx(sheets as never).toBuffer();
}
