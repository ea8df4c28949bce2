import { describe, expect, test } from 'vitest';
import { docxOf, epubOf } from './support/archives.ts';
import { docx, numberedDocx, pptx, xlsx } from './support/office.ts';
import { pdf } from './support/pdf.ts';
import { createWorkspace } from './support/workspace.ts';

const { read } = createWorkspace();

describe('plain text', () => {
  test('keeps its paragraphs', async () => {
    const { chunks, summary } = await read('a.txt', 'Điều 1. Phạm vi.\r\n\r\nDòng một\r\ndòng hai.\r\n');
    expect(chunks).toEqual([
      {
        ordinal: 0,
        text: 'Điều 1. Phạm vi.\n\nDòng một\ndòng hai.',
        tokens: expect.any(Number),
        page: null,
        headingPath: [],
        charStart: 0,
        charEnd: 36,
      },
    ]);
    expect(summary).toEqual({
      format: 'text',
      title: null,
      characters: 36,
      chunks: 1,
      pages: null,
      metadata: {},
    });
  });
});

describe('Markdown', () => {
  const text = [
    '---\ntitle: "Thông báo: số 5"\nauthor: Lê An\n---\n',
    '# Thông báo\n\nMời *nhà thầu* tham gia, [xem](https://x.vn).\n',
    '## Yêu cầu\n\n- [x] Năng lực\n- Kinh nghiệm\n\n',
    '| Gói | Giá |\n|---|---|\n| Cầu | 5 |\n\n',
    '```sql\nselect 1\n  from t;\n```\n\n<script>alert(1)</script>\n\nHết.[^1]\n\n[^1]: Chú thích.\n',
  ].join('');

  test('is read by its structure, and front matter becomes title and metadata', async () => {
    const { text: found, summary } = await read('a.md', text);
    expect(found).toBe(
      'Thông báo\n\nMời nhà thầu tham gia, xem.\n\nYêu cầu\n\nNăng lực\nKinh nghiệm\n\nGói: Cầu; Giá: 5\n\nselect 1\n  from t;\n\nHết.\n\nChú thích.',
    );
    expect(summary).toMatchObject({ title: 'Thông báo: số 5', metadata: { author: 'Lê An' } });
  });

  test('gives chunks the path of their headings', async () => {
    const filler = 'Nhà thầu nộp hồ sơ đúng hạn. '.repeat(12);
    const { chunks } = await read('a.md', `# A\n\n${filler}\n\n## B\n\n${filler}\n\n## C\n\n${filler}\n`, {
      chunking: { maxTokens: 256, overlapTokens: 20 },
    });
    const paths = new Set(chunks.map((chunk) => chunk.headingPath.join('/')));
    expect([...paths]).toEqual(['A', 'A/B', 'A/C']);
    expect(chunks.filter((chunk) => chunk.text.startsWith('B\n'))).toHaveLength(1);
  });

  test('may begin with a rule that is no front matter', async () => {
    expect((await read('a.md', '---\n\nText after a rule.\n')).text).toBe('Text after a rule.');
  });

  test('of several hundred kilobytes keeps code fences whole', async () => {
    const line = 'x = 1\n# not a heading\n\n';
    const { text: found, chunks } = await read(
      'a.md',
      `# Top\n\n\`\`\`\n${line.repeat(16_000)}\`\`\`\n\n# End\n\nLast words.\n`,
    );
    const paths = new Set(chunks.map((chunk) => chunk.headingPath.join('/')));
    expect([...paths]).toEqual(['Top', 'End']);
    expect(found.match(/^# not a heading$/gm)?.length).toBeGreaterThanOrEqual(16_000);
    expect(found.endsWith('\nEnd\n\nLast words.')).toBe(true);
  });
});

describe('HTML', () => {
  test('keeps headings, lists, tables and code, and leaves navigation, scripts and hidden parts out', async () => {
    const { text, summary } = await read(
      'a.html',
      `<!doctype html><html lang=vi><head><title>Tin &amp; bài</title><meta name=author content="Lê An">
      <style>p{}</style></head><body><nav><a href=/>Trang chủ</a></nav><h1>Đấu thầu</h1>
      <p>Văn bản <b>quan</b> trọng<br>dòng hai</p><p hidden>ẩn</p><ul><li>một<li>hai</ul>
      <table><tr><th>Gói<th>Giá<tr><td>Cầu<td>5<tr><td><td>7</table>
      <script>if (a < b) alert("x")</script><pre>a\n  b</pre><p>Hết</body></html>`,
    );
    expect(text).toBe(
      'Đấu thầu\n\nVăn bản quan trọng\ndòng hai\n\nmột\nhai\n\nGói: Cầu; Giá: 5\nGiá: 7\n\na\n  b\n\nHết',
    );
    expect(summary).toMatchObject({ title: 'Tin & bài', metadata: { author: 'Lê An' } });
  });

  test('is read where tags are left out and where a form is around everything', async () => {
    const page =
      '<title>T</title><body><form action=x><h1>A</h1><p>Một<p>Hai<select><option>No</select></form>';
    expect((await read('a.html', `<!doctype html><html><head>${page}`)).text).toBe('A\n\nMột\n\nHai');
  });

  test('takes its title from the first heading if it has none', async () => {
    expect((await read('a.htm', '<h2>x</h2><h1>Main <i>title</i></h1><p>y')).summary.title).toBe(
      'Main title',
    );
  });
});

describe('PDF', () => {
  const law =
    'Luật này quy định về quản lý nhà nước đối với hoạt động đấu thầu và trách nhiệm của các cơ quan, tổ chức, cá nhân.';

  test('keeps pages, headings and Vietnamese letters', async () => {
    const bytes = await pdf(
      [
        { heading: 'Chương I', paragraphs: [law, 'Đoạn thứ hai.'] },
        { paragraphs: ['Trang hai nói về bảo đảm dự thầu.'] },
      ],
      { info: { Title: 'Luật Đấu thầu', Author: 'Quốc hội' } },
    );
    const { chunks, summary } = await read('a.pdf', bytes);
    expect(chunks.map(({ page, text, headingPath }) => ({ page, text, headingPath }))).toEqual([
      { page: 1, text: `Chương I\n\n${law}\n\nĐoạn thứ hai.`, headingPath: ['Chương I'] },
      { page: 2, text: 'Trang hai nói về bảo đảm dự thầu.', headingPath: ['Chương I'] },
    ]);
    expect(summary).toMatchObject({ title: 'Luật Đấu thầu', pages: 2, metadata: { author: 'Quốc hội' } });
  });

  test('has its wrapped lines joined and its hyphenated words restored', async () => {
    const bytes = await pdf([
      { paragraphs: ['The entity shall publish the invita-\ntion to bid\non the network.'] },
    ]);
    expect((await read('a.pdf', bytes)).text).toBe(
      'The entity shall publish the invitation to bid on the network.',
    );
  });

  test('repeats the start of a sentence that goes on over the page', async () => {
    const bytes = await pdf([
      { paragraphs: ['The deadline for bids'] },
      { paragraphs: ['is the fifth of May. More.'] },
    ]);
    const { chunks } = await read('a.pdf', bytes);
    expect(chunks.map(({ page, text }) => [page, text])).toEqual([
      [1, 'The deadline for bids'],
      [2, 'The deadline for bids\n\nis the fifth of May. More.'],
    ]);
  });
});

describe('Word', () => {
  test('keeps headings, lists, tables and footnotes', async () => {
    const { text, chunks, summary } = await read('a.docx', await docx());
    expect(text).toBe(
      'Chương I. Quy định chung\n\nNhà thầu phải nộp hồ sơ\n\nMục 1\n\nĐiểm thứ nhất\n\nGói thầu: Cầu; Giá: 5 tỷ\nGói thầu: Đường; Giá: 7 tỷ\n\nChú thích về bảo đảm dự thầu.',
    );
    expect(chunks[0]?.headingPath).toEqual(['Chương I. Quy định chung']);
    expect(summary).toMatchObject({ title: 'Hướng dẫn đấu thầu', metadata: { author: 'Trần Bình' } });
  });

  test('keeps the numbers of numbered articles and lists', async () => {
    expect((await read('a.docx', await numberedDocx())).text).toBe(
      'Điều 1. Phạm vi\n\na) Gói thầu tư vấn\nb) Gói thầu xây lắp\n\nĐiều 2. Đối tượng\n\na) Tổ chức',
    );
  });

  test('says text boxes once and leaves deleted text out', async () => {
    const run = (text: string) => `<w:r><w:t>${text}</w:t></w:r>`;
    const box = `<w:p><w:r><mc:AlternateContent xmlns:mc="m"><mc:Choice><w:txbxContent><w:p>${run('Box')}</w:p></w:txbxContent></mc:Choice><mc:Fallback><w:p>${run('Box')}</w:p></mc:Fallback></mc:AlternateContent></w:r>${run('Anchor')}</w:p>`;
    const edited = `<w:p>${run('New ')}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins>${run('text')}</w:ins></w:p>`;
    expect((await read('a.docx', await docxOf(box + edited))).text).toBe('Box\n\nAnchor\n\nNew text');
  });
});

describe('PowerPoint', () => {
  test('has a page per slide with title, text, table and notes', async () => {
    const { chunks, summary } = await read('a.pptx', await pptx());
    expect(chunks.map(({ page, text, headingPath }) => ({ page, text, headingPath }))).toEqual([
      {
        page: 1,
        text: 'Kết quả năm 2025\n\nBa gói thầu đã ký hợp đồng.\n\nNhắc đến tiến độ giải ngân.',
        headingPath: ['Kết quả năm 2025'],
      },
      { page: 2, text: 'Outlook\n\nPackage: Bridge; Value: 12', headingPath: ['Outlook'] },
    ]);
    expect(summary).toMatchObject({ title: 'Báo cáo đấu thầu', pages: 2 });
  });
});

describe('Excel', () => {
  test('has a section per sheet and names the column of each value', async () => {
    const { text } = await read('a.xlsx', await xlsx());
    expect(text).toBe(
      [
        'Hàng hóa\n',
        'Tên hàng: Bút bi; Số lượng: 1200; Ngày giao: 2026-03-04; Tỷ lệ: 12.5%',
        'Tên hàng: Giấy; Số lượng: 30.5; Ngày giao: 2025-12-31; Tỷ lệ: 100%\n',
        'Khác\n',
        'Ghi chú: Giao tại kho',
      ].join('\n'),
    );
  });
});

describe('CSV', () => {
  test('names the column of each value, whatever the delimiter', async () => {
    const text = 'Tên: An; Ghi chú: dòng một dòng hai\nTên: Bình; Ghi chú: a "b"';
    const rows = [
      ['Tên', 'Ghi chú'],
      ['An', '"dòng một\ndòng hai"'],
      ['Bình', '"a ""b"""'],
    ];
    for (const mark of [',', ';', '\t', '|']) {
      expect((await read('a.csv', rows.map((row) => row.join(mark)).join('\n'))).text).toBe(text);
    }
  });

  test('without a header has its values as they are', async () => {
    expect((await read('a.csv', '1,An\n2,Bình\n')).text).toBe('1; An\n2; Bình');
  });

  test('of nothing but a header says its columns', async () => {
    expect((await read('a.csv', 'Tên,Giá\n')).text).toBe('Tên; Giá');
  });
});

describe('JSON', () => {
  test('has a block per record with a line for each value', async () => {
    const document =
      '{"title":"Kế hoạch","items":[{"id":12345678901234567890,"buyer":{"name":"Sở Y tế"},"tags":["a","b"]},{"id":2,"ok":true,"none":null}]}';
    expect((await read('a.json', document)).text).toBe(
      'title: Kế hoạch\n\nitems\n\nid: 12345678901234567890\nbuyer.name: Sở Y tế\ntags: a, b\n\nid: 2\nok: true',
    );
  });

  test('may be a single value or nested arrays', async () => {
    expect((await read('a.json', '"Chào"')).text).toBe('Chào');
    expect((await read('a.json', '[[1,2],[3,[4,"x"]]]')).text).toBe('1, 2\n\n3\n[1]: 4, x');
  });
});

describe('JSON Lines', () => {
  test('has a record per line', async () => {
    expect((await read('a.jsonl', '{"a":1,"b":"Giá"}\r\n\r\n{"a":2}')).text).toBe('a: 1\nb: Giá\n\na: 2');
  });
});

describe('EPUB', () => {
  test('is read in the order of its spine', async () => {
    const chapter = (name: string, text: string) =>
      `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="x"/></head><body><h1>${name}</h1><p>${text}</p></body></html>`;
    const bytes = await epubOf('Sách luật', {
      'z one.xhtml': chapter('Chương một', 'Mở&nbsp;đầu.'),
      'a.xhtml': chapter('Chương hai', 'Kết thúc.'),
    });
    const { text, summary } = await read('a.epub', bytes);
    expect(text).toBe('Chương một\n\nMở đầu.\n\nChương hai\n\nKết thúc.');
    expect(summary).toMatchObject({ title: 'Sách luật', metadata: { author: 'Lê An' } });
  });
});
