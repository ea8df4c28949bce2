import { describe, expect, test } from 'vitest';
import { detectFormat, ExtractionError, formats } from '../src/index.ts';
import { docxOf, epubOf, zip } from './support/archives.ts';
import { docx, pptx, xlsx } from './support/office.ts';
import { pdf } from './support/pdf.ts';

const head = (content: string | Uint8Array) => Buffer.from(content as Uint8Array).subarray(0, 4096);
const text = head('Some plain words.\n');

function failure(work: () => unknown): ExtractionError {
  try {
    work();
  } catch (error) {
    return error as ExtractionError;
  }
  throw new Error('nothing was thrown');
}

describe('the format of a file', () => {
  test('is found by the name if it is text inside', () => {
    for (const { format, extensions } of formats) {
      if (['pdf', 'docx', 'pptx', 'xlsx', 'epub'].includes(format)) continue;
      for (const extension of extensions)
        expect(detectFormat({ fileName: `A.${extension.toUpperCase()}`, head: text })).toBe(format);
    }
  });

  test('is found by the media type if the name does not tell', () => {
    expect(detectFormat({ mediaType: 'text/markdown; charset=utf-8', head: text })).toBe('markdown');
    expect(
      detectFormat({ fileName: 'data.bin', mediaType: 'application/x-ndjson', head: head('{"a":1}') }),
    ).toBe('jsonl');
    expect(detectFormat({ fileName: 'main.py', mediaType: 'text/x-python', head: text })).toBe('text');
    expect(detectFormat({ mediaType: 'application/ld+json', head: head('{"a":1}') })).toBe('json');
  });

  test('is found by the content if nothing else tells', () => {
    expect(detectFormat({ head: text })).toBe('text');
    expect(detectFormat({ fileName: 'README', head: text })).toBe('text');
    expect(detectFormat({ head: head(' {"a": 1}') })).toBe('json');
    expect(detectFormat({ head: head('[draft] not JSON at all') })).toBe('text');
    expect(detectFormat({ head: head('\ufeff<!-- x -->\n<!DOCTYPE html><html>') })).toBe('html');
  });

  test('is that of the content when the name says otherwise', async () => {
    const documents = {
      pdf: await pdf([{ paragraphs: ['x'] }]),
      docx: await docx(),
      pptx: await pptx(),
      xlsx: await xlsx(),
    };
    for (const [format, bytes] of Object.entries({
      ...documents,
      epub: await epubOf('x', { 'a.xhtml': '<p>x' }),
    })) {
      for (const fileName of ['a.txt', 'a.pdf', 'a.docx', undefined]) {
        // Which kind of archive it is may stand beyond the first 4 KiB; then the name counts until it is opened.
        const found = failureOrFormat(() => detectFormat({ fileName, head: head(bytes) }));
        if (format === 'pdf' || format === 'epub') expect(found).toBe(format);
        else expect([format, 'docx', 'unknown_format']).toContain(found);
      }
      expect(detectFormat({ fileName: `a.${format}`, head: head(bytes) })).toBe(format);
    }
    expect(detectFormat({ fileName: 'report.docx', head: head('<html><body>') })).toBe('html');
    expect(detectFormat({ fileName: 'report.pdf', head: text })).toBe('text');
  });

  test('is unknown for pictures, programs and other archives, with the list of known formats', async () => {
    const strangers: [string, Uint8Array, string][] = [
      ['a.txt', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1'), 'PNG image'],
      ['a.pdf', Buffer.from('\xff\xd8\xff\xe0\0\x10JFIF', 'latin1'), 'JPEG image'],
      ['a.doc', Buffer.from('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0', 'latin1'), 'an Office 97-2003 document'],
      ['a.zip', await zip({ 'a.txt': 'x' }), 'a ZIP archive'],
      ['a.bin', Buffer.from(Array.from({ length: 512 }, (_, at) => (at * 7) % 23)), 'binary data'],
      ['a.xyz', text, 'a .xyz file'],
      ['a.rtf', Buffer.from('{\\rtf1 x}'), 'RTF document'],
    ];
    for (const [fileName, bytes, detected] of strangers) {
      const error = failure(() => detectFormat({ fileName, head: bytes }));
      expect(error).toBeInstanceOf(ExtractionError);
      expect(error).toMatchObject({ code: 'unknown_format', retryable: false, details: { detected } });
      expect(error.details.known).toEqual(formats.map((entry) => entry.label));
    }
  });

  test('is not asked for an empty file', () => {
    expect(failure(() => detectFormat({ fileName: 'a.txt', head: new Uint8Array() })).code).toBe(
      'empty_document',
    );
  });

  test('of damaged PDF and Office files stays the declared one, so that reading them gives the precise error', async () => {
    const noise = Buffer.from(Array.from({ length: 600 }, (_, at) => (at * 31) % 256));
    expect(detectFormat({ fileName: 'a.pdf', head: noise })).toBe('pdf');
    expect(detectFormat({ fileName: 'a.docx', head: noise })).toBe('docx');
    expect(detectFormat({ fileName: 'a.docx', head: head((await docxOf('')).subarray(0, 40)) })).toBe('docx');
  });
});

function failureOrFormat(work: () => string): string {
  try {
    return work();
  } catch (error) {
    return (error as ExtractionError).code;
  }
}
