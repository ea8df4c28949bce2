import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { docxOf, epubOf, zip } from './support/archives.ts';
import { docx, pptx, xlsx } from './support/office.ts';
import { pdf, rawPdf, scannedPdf } from './support/pdf.ts';
import { codeOf, createWorkspace } from './support/workspace.ts';

const mebibyte = 1024 * 1024;
const { read, extractor } = createWorkspace({ maxExpandedBytes: 16 * mebibyte });

describe('a document without text', () => {
  test('is told apart from an empty file', async () => {
    expect(
      await codeOf(extractor.extract({ path: '/dev/null', format: 'text' })[Symbol.asyncIterator]().next()),
    ).toBe('empty_document');
    for (const [name, content] of [
      ['a.txt', ' \n\n \t'],
      ['a.md', '---\ntitle: x\n---\n'],
      ['a.html', '<html><head><title>x</title></head><body><script>1</script></body>'],
      ['a.csv', '\n\n'],
      ['a.json', '{"a":null}'],
    ] as const) {
      expect(await codeOf(read(name, content))).toBe('no_text');
    }
    expect(await codeOf(read('a.docx', await docxOf('<w:p/>')))).toBe('no_text');
  });

  test('gets the advice to run text recognition if it is a scanned PDF', async () => {
    await expect(read('a.pdf', await scannedPdf())).rejects.toMatchObject({
      code: 'no_text',
      retryable: false,
      message: expect.stringContaining('OCR'),
      details: { pages: 1 },
    });
  });
});

describe('an encrypted document', () => {
  test('is named as such if it is a PDF', async () => {
    const bytes = await pdf([{ paragraphs: ['Secret'] }], {
      userPassword: 'x',
      ownerPassword: 'y',
      pdfVersion: '1.7',
    });
    expect(await codeOf(read('a.pdf', bytes))).toBe('encrypted_document');
  });

  test('is read if the PDF only restricts printing', async () => {
    const bytes = await pdf([{ paragraphs: ['Open to read.'] }], { ownerPassword: 'y', pdfVersion: '1.7' });
    expect((await read('a.pdf', bytes)).text).toBe('Open to read.');
  });

  test('is named as such if it is a Word file with a password', async () => {
    // Word wraps the encrypted archive in a compound file with this stream.
    const container = Buffer.concat([
      Buffer.from('d0cf11e0a1b11ae1', 'hex'),
      Buffer.alloc(6000),
      Buffer.from('EncryptedPackage', 'utf16le'),
      Buffer.alloc(100),
    ]);
    expect(await codeOf(read('a.docx', container))).toBe('encrypted_document');
    expect(await codeOf(read('a.xlsx', container.fill(0, 6000)))).toBe('unknown_format');
  });

  test('is named as such if it is an archive with encrypted parts', async () => {
    const bytes = await docxOf('<w:p><w:r><w:t>x</w:t></w:r></w:p>');
    for (const [mark, flags] of [
      ['PK\x01\x02', 8],
      ['PK\x03\x04', 6],
    ] as const) {
      for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) bytes[at + flags]! |= 1;
    }
    expect(await codeOf(read('a.docx', bytes))).toBe('encrypted_document');
  });

  test('is named as such if it is a protected book', async () => {
    const encryption =
      '<encryption><EncryptedData><CipherData><CipherReference URI="OEBPS/a.xhtml"/></CipherData></EncryptedData></encryption>';
    const bytes = await epubOf('x', { 'a.xhtml': 'x' }, { 'META-INF/encryption.xml': encryption });
    expect(await codeOf(read('a.epub', bytes))).toBe('encrypted_document');
  });
});

describe('a broken document', () => {
  test('names the line of broken JSON and JSON Lines', async () => {
    await expect(read('a.jsonl', '{"a":1}\n{"a":2}\n{"a":\n')).rejects.toMatchObject({
      code: 'broken_document',
      details: { line: 3 },
      message: expect.stringContaining('Line 3'),
    });
    await expect(read('a.json', '{\n"a":1,\n"b" 2}')).rejects.toMatchObject({ details: { line: 3 } });
  });

  test('is refused where JSON is almost right', async () => {
    for (const text of [
      '{"a":1,}',
      '[1,]',
      '[1 2]',
      '{"a"}',
      '{1:2}',
      '[',
      '{"a":1',
      '1 2',
      '{}{}',
      '[}',
      '"x',
      'nul',
      ',',
      '01',
    ]) {
      expect([text, await codeOf(read('a.json', text, { format: 'json' }))]).toEqual([
        text,
        'broken_document',
      ]);
    }
  });

  test('is refused where nesting is endless', async () => {
    expect(await codeOf(read('a.json', '['.repeat(2_000_000)))).toBe('broken_document');
    expect(await codeOf(read('a.docx', await docxOf('<w:p>'.repeat(100_000))))).toBe('broken_document');
  });

  test('is refused when it is cut off', async () => {
    for (const [name, bytes] of [
      ['a.docx', await docx()],
      ['a.pptx', await pptx()],
      ['a.xlsx', await xlsx()],
      ['a.epub', await epubOf('x', { 'a.xhtml': '<p>x' })],
    ] as const) {
      expect([name, await codeOf(read(name, bytes.subarray(0, bytes.length - 200)))]).toEqual([
        name,
        'broken_document',
      ]);
    }
    expect(await codeOf(read('a.pdf', Buffer.from('%PDF-1.7\n%âãÏÓ\n')))).toBe('broken_document');
  });

  test('is refused when a part of an archive is missing or is not XML', async () => {
    expect(await codeOf(read('a.docx', await zip({ '[Content_Types].xml': '<a/>' })))).toBe(
      'broken_document',
    );
    expect(await codeOf(read('a.docx', await docxOf('<w:p></w:r>')))).toBe('broken_document');
  });

  test('is refused when a field in a CSV never ends', async () => {
    expect(await codeOf(read('a.csv', `a,b\n1,"${'x'.repeat(2 * mebibyte)}`))).toBe('broken_document');
  });

  test('is refused when a book names no chapters that exist', async () => {
    expect(await codeOf(read('a.epub', await epubOf('x', {})))).toBe('no_text');
  });
});

describe('a mislabelled document', () => {
  test('is read by its content', async () => {
    expect((await read('a.docx', await pdf([{ paragraphs: ['A PDF.'] }]))).summary.format).toBe('pdf');
    expect((await read('a.xlsx', await docx(), { format: 'xlsx' })).summary.format).toBe('docx');
    expect((await read('a.docx', await xlsx(), { format: 'docx' })).summary.format).toBe('xlsx');
    expect((await read('a.doc', '<html><body><p>Web page')).summary.format).toBe('html');
  });

  test('is refused if it is binary and called text', async () => {
    const noise = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * at * 31) % 29));
    expect(await codeOf(read('a.txt', noise, { format: 'text' }))).toBe('undecodable_text');
    expect(await codeOf(read('a.txt', Buffer.from('fffe000041000000', 'hex'), { format: 'text' }))).toBe(
      'undecodable_text',
    );
  });
});

describe('a document made to exhaust its reader', () => {
  test('is stopped when an archive inflates beyond the limit', async () => {
    const bomb = await docxOf(`<w:p><w:r><w:t>${'a'.repeat(40 * mebibyte)}</w:t></w:r></w:p>`);
    expect(bomb.length).toBeLessThan(100_000);
    await expect(read('a.docx', bomb)).rejects.toMatchObject({
      code: 'expanded_too_large',
      retryable: false,
      details: { limit: 16 * mebibyte, of: 'bytes' },
    });
  });

  test('is stopped when all parts together inflate beyond the limit', async () => {
    const chapters = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`${at}.xhtml`, `<p>x</p><!--${'b'.repeat(mebibyte)}-->`]),
    );
    expect(await codeOf(read('a.epub', await epubOf('x', chapters)))).toBe('expanded_too_large');
  });

  test('is stopped when an archive lies about the size of a part', async () => {
    const bytes = await docxOf(`<w:p><w:r><w:t>${'a'.repeat(40 * mebibyte)}</w:t></w:r></w:p>`);
    const at = bytes.lastIndexOf('word/document.xml') - 46;
    bytes.writeUInt32LE(1000, at + 24);
    expect(['broken_document', 'expanded_too_large']).toContain(await codeOf(read('a.docx', bytes)));
  });

  test('is stopped when an archive has an absurd number of entries', async () => {
    const parts = Object.fromEntries(Array.from({ length: 10_100 }, (_, at) => [`=x/${at}`, '']));
    await expect(read('a.docx', await zip(parts))).rejects.toMatchObject({
      code: 'expanded_too_large',
      details: { of: 'entries' },
    });
  });

  test('never has its own XML entities expanded', async () => {
    const entities = Array.from({ length: 30 }, (_, at) => `<!ENTITY e${at + 1} "&e${at};&e${at};">`).join(
      '',
    );
    const prolog = `<!DOCTYPE x [<!ENTITY e0 "lol">${entities}<!ENTITY f SYSTEM "file:///etc/passwd">]>`;
    for (const entity of ['e30', 'f']) {
      const bytes = await docxOf(`<w:p><w:r><w:t>&${entity};</w:t></w:r></w:p>`, prolog);
      expect(await codeOf(read('a.docx', bytes))).toBe('broken_document');
    }
  });

  test('is answered for when a PDF has pages, forms or streams that contain themselves', async () => {
    const pages = rawPdf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 2 /Kids [2 0 R 2 0 R] >>',
    ]);
    expect(['broken_document', 'no_text']).toContain(await codeOf(read('a.pdf', pages)));
    const form = (content: string) =>
      `<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 4 0 R >> >> /Length ${content.length} >>\nstream\n${content}\nendstream`;
    const page =
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Resources << /XObject << /F 4 0 R >> >> /Contents 5 0 R >>';
    const forms = rawPdf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      page,
      form('/F Do /F Do'),
      '<< /Length 5 >>\nstream\n/F Do\nendstream',
    ]);
    expect(['broken_document', 'no_text', 'extraction_timeout']).toContain(
      await codeOf(read('a.pdf', forms)),
    );
  });

  test('is stopped when a PDF claims more pages than the limit', async () => {
    const kids = Array.from({ length: 20_001 }, () => '3 0 R').join(' ');
    const bytes = rawPdf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      `<< /Type /Pages /Count 20001 /Kids [${kids}] >>`,
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>',
    ]);
    expect(await codeOf(read('a.pdf', bytes))).toBe('too_many_pages');
  });

  test('is stopped when a stream of a PDF inflates beyond the memory of a thread', async () => {
    const bomb = deflateSync(Buffer.alloc(900 * mebibyte, ' '), { level: 1 });
    const twice = deflateSync(bomb);
    const stream = Buffer.concat([
      Buffer.from(`<< /Length ${twice.length} /Filter [/FlateDecode /FlateDecode] >>\nstream\n`),
      twice,
      Buffer.from('\nendstream'),
    ]);
    const bytes = rawPdf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R >>',
      stream,
    ]);
    expect(['extraction_out_of_memory', 'extraction_timeout', 'no_text', 'broken_document']).toContain(
      await codeOf(read('a.pdf', bytes)),
    );
    expect((await read('a.txt', 'Next, please.')).text).toBe('Next, please.');
  });
});
