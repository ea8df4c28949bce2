import { deflateSync } from 'node:zlib';
import type { Format } from '../../src/index.ts';
import { docxOf, epubOf, officeParts, zip } from './archives.ts';
import { rawPdf } from './pdf.ts';

type Content = string | Buffer | Promise<Buffer>;

/** Small documents, each made to cost its reader more than its size: by nesting, cycles, backtracking, or lies about sizes. */
export const hostile: Record<Format, Record<string, () => Content>> = {
  text: {
    'no blanks': () => 'a'.repeat(400_000),
    'one letter with many marks': () => `e${'\u0301'.repeat(100_000)}`,
    'nothing but line ends': () => '\r\n\r'.repeat(300_000),
    'nothing but ends of sentences': () => '. ! ? '.repeat(60_000),
    'emoji joined to one': () => '👩\u200d'.repeat(40_000),
    'special tokens': () => '<|endoftext|>'.repeat(10_000),
  },
  markdown: {
    'open brackets': () => '['.repeat(30_000),
    'open images': () => '![x]('.repeat(5_000),
    'open links': () => '[a](<b'.repeat(5_000),
    'open emphasis': () => '*a **b _c '.repeat(8_000),
    'nested quotes': () => `${'> '.repeat(2_000)}a`,
    'nested lists': () => Array.from({ length: 500 }, (_, at) => `${' '.repeat(at * 2)}- a`).join('\n'),
    'runs of backticks': () => Array.from({ length: 400 }, (_, at) => 'a'.concat('`'.repeat(at))).join(''),
    'a table of columns': () => `|${'a|'.repeat(3_000)}\n|${'-|'.repeat(3_000)}\n|${'b|'.repeat(3_000)}`,
    'a table of missing cells': () =>
      `|${'a|'.repeat(1_000)}\n|${'-|'.repeat(1_000)}\n${'|b\n'.repeat(1_000)}`,
    'definitions used': () => `[a]: /b\n\n${'[a][a] '.repeat(8_000)}`,
    'entities and autolinks': () => 'http://a.b/&amp;<x@y.z>www.'.repeat(4_000),
    'open HTML comments': () => '<!-- \n'.repeat(20_000),
    'footnotes of footnotes': () =>
      Array.from({ length: 2_000 }, (_, at) => `[^${at}]: [^${at + 1}]\n`).join(''),
  },
  html: {
    'nested elements': () => '<div><b>'.repeat(20_000),
    'nested tables': () => '<table><tr><td>'.repeat(20_000),
    'nested lists': () => '<ul><li>a'.repeat(20_000),
    'closing tags of nothing': () => `${'<p><i>'.repeat(3_000)}${'</u></s>'.repeat(3_000)}`,
    'a table row of cells': () => `<table><tr>${'<td>a'.repeat(100_000)}`,
    'a wide header over many rows': () =>
      `<table><tr>${'<th>a'.repeat(500)}${`<tr>${'<td>b'.repeat(500)}`.repeat(100)}</table>`,
    'an open comment': () => `<p>a</p>${'<!-'.repeat(100_000)}<!--${'-'.repeat(400_000)}`,
    'an endless attribute': () => `<p title="${'x'.repeat(2_000_000)}`,
    'many attributes': () => `<p ${Array.from({ length: 30_000 }, (_, at) => `a${at}=1`).join(' ')}>x`,
    'open entities': () => '&amp&#x&#99999999;&notit;'.repeat(20_000),
    'a style of blanks': () => `<p style="display${' '.repeat(200_000)}">x`,
  },
  csv: {
    'an open quote': () => `a,b\n"${'x,\n'.repeat(300_000)}`,
    'quotes in quotes': () => `a,b\n${'"'.repeat(300_001)}`,
    'one row of columns': () => 'a,'.repeat(300_000),
    'a header of columns over short rows': () =>
      `${Array.from({ length: 5_000 }, (_, at) => `c${at}`).join(',')}\n${'1,2\n'.repeat(2_000)}`,
    'nothing but delimiters': () => `${',;\t|'.repeat(2_000)}\n`.repeat(20),
  },
  json: {
    'nested arrays': () => '['.repeat(500_000),
    'nested objects': () => '{"a":'.repeat(200_000),
    'a number of digits': () => `[${'1'.repeat(1_000_000)}]`,
    'a name of letters': () => `{"${'k'.repeat(1_000_000)}":1}`,
    'lone surrogates': () => `["${'\\ud800'.repeat(50_000)}"]`,
    'long names at every level': () =>
      `${`{"${'n'.repeat(200)}":`.repeat(250)}${`[${'1,'.repeat(3_000)}1]`}${'}'.repeat(250)}`,
    'empty arrays': () => `[${'[],'.repeat(200_000)}[]]`,
  },
  jsonl: {
    'empty lines': () => `${'\n'.repeat(500_000)}{"a":1}\n`,
    'nested lines': () => `${'['.repeat(200)}${']'.repeat(200)}\n`.repeat(1_000),
    'one line without an end': () => `{"a":"${'x'.repeat(2_000_000)}`,
  },
  pdf: pdfs(),
  docx: {
    'nested elements': () => docxOf('<w:p>'.repeat(200_000)),
    'nested tables': () => docxOf(`${'<w:tbl><w:tr><w:tc>'.repeat(160)}<w:p/>`),
    'a paragraph per letter': () => docxOf('<w:p><w:r><w:t>a</w:t></w:r></w:p>'.repeat(60_000)),
    'many attributes': () =>
      docxOf(`<w:p ${Array.from({ length: 30_000 }, (_, at) => `a${at}="1"`).join(' ')}/>`),
    'an entity bomb': () => docxOf('<w:p><w:r><w:t>&e9;</w:t></w:r></w:p>', entities()),
    'a level of a list that is absurd': () =>
      docxOf(
        '<w:p><w:pPr><w:numPr><w:ilvl w:val="4294967294"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:t>a</w:t></w:r></w:p>',
      ),
    'a bomb of blanks': () => docxOf(`<w:p><w:r><w:t>${' '.repeat(30_000_000)}a</w:t></w:r></w:p>`),
    'a bomb of a comment': () => docxOf(`<!--${'x'.repeat(30_000_000)}-->`),
    'relations in a circle': () =>
      zip({
        ...officeParts('_rels/.rels'),
        'word/document.xml': '<w:document/>',
      }),
  },
  pptx: {
    'one slide shown ten thousand times': () => slides(10_000, `<a:p><a:t>${'x'.repeat(20_000)}</a:t></a:p>`),
    'nested elements': () => slides(1, '<a:p>'.repeat(200_000)),
    'rows outside of tables': () => slides(1, '<a:tr/><a:tc/>'.repeat(30_000)),
  },
  xlsx: {
    'a cell in the last column of each row': () =>
      sheet('<row><c r="XFD1"><v>1</v></c></row>'.repeat(20_000)),
    'cells at places that are none': () =>
      sheet('<row><c r="ZZZZZ9"><v>1</v></c><c r="-1"><v>2</v></c><c r=""><v>3</v></c></row>'.repeat(2_000)),
    'strings and styles that do not exist': () =>
      sheet('<row><c t="s"><v>1e9</v></c><c t="s"><v>-1</v></c><c s="1e9"><v>5</v></c></row>'.repeat(5_000)),
    'a size that is absurd': () =>
      sheet('<dimension ref="A1:XFD1048576"/><row r="1048576"><c r="A1048576"><v>1</v></c></row>'),
    'numbers that are none': () =>
      sheet('<row><c><v>1e999</v></c><c><v>NaN</v></c><c s="0"><v>-1e308</v></c></row>'.repeat(5_000)),
    'one sheet ten thousand times': () => sheet(`<row><c><v>${'7'.repeat(5_000)}</v></c></row>`, 10_000),
    'a number format of brackets': () =>
      sheet(
        '<row><c s="0"><v>1</v></c></row>',
        1,
        `<styleSheet><numFmts><numFmt numFmtId="200" formatCode="${'['.repeat(60_000)}"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs></styleSheet>`,
      ),
    'a number format of months': () =>
      sheet(
        '<row><c s="0"><v>1</v></c></row>',
        1,
        `<styleSheet><numFmts><numFmt numFmtId="200" formatCode="${'m'.repeat(60_000)}h"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs></styleSheet>`,
      ),
  },
  epub: {
    'one chapter ten thousand times': () =>
      epubOf(
        'x',
        { 'x.xhtml': `<p>${'a b '.repeat(5_000)}` },
        { 'OEBPS/content.opf': opf('x.xhtml', 10_000) },
      ),
    'nested elements': () => epubOf('x', { 'a.xhtml': '<div>'.repeat(200_000) }),
    'a bomb of a chapter': () => epubOf('x', { 'a.xhtml': `<p>${'x'.repeat(8_000_000)}` }),
    'an entity bomb': () =>
      zip({
        '=mimetype': 'application/epub+zip',
        'META-INF/container.xml': `${entities()}<container><rootfile full-path="&e9;"/></container>`,
      }),
    'names that lead outside': () =>
      epubOf('x', { 'x.xhtml': '<p>a' }, { 'OEBPS/content.opf': opf('../../../../../etc/passwd.xml', 1) }),
    'a name that cannot be decoded': () => epubOf('x', { 'a%zz%.xhtml': '<p>a' }),
  },
};

function entities(): string {
  const list = Array.from(
    { length: 10 },
    (_, at) => `<!ENTITY e${at} "${at === 0 ? 'lol' : `&e${at - 1};`.repeat(10)}">`,
  );
  return `<!DOCTYPE x [${list.join('')}]>`;
}

function opf(href: string, times: number): string {
  const items = Array.from({ length: times }, (_, at) => `<item id="c${at}" href="${href}"/>`).join('');
  const spine = Array.from({ length: times }, (_, at) => `<itemref idref="c${at}"/>`).join('');
  return `<package><manifest>${items}</manifest><spine>${spine}</spine></package>`;
}

function slides(count: number, body: string): Promise<Buffer> {
  return zip({
    ...officeParts('ppt/presentation.xml'),
    'ppt/presentation.xml': `<p:p xmlns:r="r">${'<p:sldId r:id="r1"/>'.repeat(count)}</p:p>`,
    'ppt/_rels/presentation.xml.rels': '<R><Relationship Id="r1" Type="x/slide" Target="slide.xml"/></R>',
    'ppt/slide.xml': `<p:sld><p:sp>${body}</p:sp></p:sld>`,
  });
}

function sheet(data: string, times = 1, styles = ''): Promise<Buffer> {
  return zip({
    ...officeParts('xl/workbook.xml'),
    'xl/workbook.xml': `<workbook xmlns:r="r">${'<sheet name="S" r:id="r1"/>'.repeat(times)}</workbook>`,
    'xl/_rels/workbook.xml.rels':
      '<R><Relationship Id="r1" Type="x/worksheet" Target="worksheets/s.xml"/><Relationship Id="r2" Type="x/styles" Target="styles.xml"/></R>',
    'xl/worksheets/s.xml': `<worksheet><sheetData>${data}</sheetData></worksheet>`,
    ...(styles === '' ? {} : { 'xl/styles.xml': styles }),
  });
}

function pdfs(): Record<string, () => Content> {
  const catalog = '<< /Type /Catalog /Pages 2 0 R >>';
  const pages = '<< /Type /Pages /Count 1 /Kids [3 0 R] >>';
  const page = (more: string) => `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] ${more} >>`;
  const stream = (body: string | Buffer, more = '') =>
    Buffer.concat([
      Buffer.from(`<< /Length ${body.length} ${more} >>\nstream\n`),
      Buffer.from(body as Buffer),
      Buffer.from('\nendstream'),
    ]);
  const content = (body: string, more = '') =>
    rawPdf([catalog, pages, page('/Contents 4 0 R'), stream(body, more)]);
  const deflated = (times: number) => {
    let body: Buffer = Buffer.alloc(6_000_000, '(a) Tj ');
    for (let at = 0; at < times; at += 1) body = deflateSync(body, { level: 1 });
    return stream(body, `/Filter [${'/FlateDecode '.repeat(times)}]`);
  };
  return {
    'pages within themselves': () => rawPdf([catalog, '<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>']),
    'a count that is absurd': () =>
      rawPdf([catalog, '<< /Type /Pages /Count 2147483647 /Kids [3 0 R] >>', page('')]),
    'a negative count': () => rawPdf([catalog, '<< /Type /Pages /Count -5 /Kids [3 0 R] >>', page('')]),
    'a length that refers to itself': () =>
      rawPdf([catalog, pages, page('/Contents 4 0 R'), '<< /Length 4 0 R >>\nstream\nBT ET\nendstream']),
    'contents within themselves': () => rawPdf([catalog, pages, page('/Contents 4 0 R'), '[4 0 R 4 0 R]']),
    'a form within itself': () =>
      rawPdf([
        catalog,
        pages,
        page('/Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >>'),
        stream('/F Do'),
        stream(
          '/F Do /F Do',
          '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 5 0 R >> >>',
        ),
      ]),
    'nested arrays': () => rawPdf([catalog, pages, page(`/X ${'['.repeat(50_000)}`)]),
    'nested dictionaries': () => rawPdf([catalog, pages, page(`/X ${'<< /A '.repeat(50_000)}`)]),
    'states without an end': () => content('q '.repeat(3_000)),
    'nested text operands': () => content(`BT [${'['.repeat(20_000)}`),
    'a string without an end': () => content(`BT (${'('.repeat(200_000)}`),
    'a stream deflated twice': () => rawPdf([catalog, pages, page('/Contents 4 0 R'), deflated(2)]),
    'filters without an end': () => content('x', `/Filter [${'/ASCIIHexDecode '.repeat(2_000)}]`),
    'tables that follow each other in a circle': () => {
      const bytes = rawPdf([catalog, pages, page('')]).toString('latin1');
      const at = bytes.lastIndexOf('xref\n0');
      return Buffer.from(bytes.replace('/Root 1 0 R', `/Root 1 0 R /Prev ${at}`), 'latin1');
    },
    'a font with an endless map': () =>
      rawPdf([
        catalog,
        pages,
        page('/Contents 4 0 R /Resources << /Font << /F 5 0 R >> >>'),
        stream('BT /F 9 Tf (abc) Tj ET'),
        '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>',
        stream(`begincmap\n${'1 beginbfrange <0000> <ffff> <0000> endbfrange\n'.repeat(300)}endcmap`),
      ]),
  };
}
