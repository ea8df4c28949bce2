import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { createWorkspace } from './support/workspace.ts';

const { read } = createWorkspace();

const law =
  'Điều 12. Nhà thầu phải nộp hồ sơ dự thầu trước thời điểm đóng thầu; đồng tiền dự thầu là đồng Việt Nam.';

/** Windows-1258 has vowels with their shape (â, ơ) as letters and tones as marks that follow. */
function windows1258(text: string): Buffer {
  const split = text
    .normalize('NFD')
    .replace(
      /([aeiouyAEIOUY])([\u0302\u0306\u031b]?)([\u0300\u0301\u0303\u0309\u0323]?)([\u0302\u0306\u031b]?)/g,
      (_, base, one, tone, two) => (base + one + two).normalize('NFC') + tone,
    );
  return iconv.encode(split, 'windows-1258');
}

describe('text in', () => {
  test('UTF-8, with and without byte order mark, is read as such', async () => {
    expect((await read('a.txt', law)).text).toBe(law);
    expect((await read('a.txt', `\ufeff${law}`)).text).toBe(law);
  });

  test('UTF-16 is read with and without byte order mark', async () => {
    for (const encoding of ['utf-16le', 'utf-16be']) {
      for (const addBOM of [true, false]) {
        expect((await read('a.txt', iconv.encode(law, encoding, { addBOM }))).text).toBe(law);
      }
    }
  });

  test('UTF-16 is read in CSV, JSON and HTML too', async () => {
    const wide = (text: string) => iconv.encode(text, 'utf-16le', { addBOM: true });
    expect((await read('a.csv', wide('Tên,Giá\nBút,5\n'))).text).toBe('Tên: Bút; Giá: 5');
    expect((await read('a.json', wide('{"Tên":"Bút"}'))).text).toBe('Tên: Bút');
    expect((await read('a.html', wide('<html><p>Bút</p>'))).text).toBe('Bút');
  });

  test('Windows-1258 is recognised, and its tone marks become letters', async () => {
    const bytes = windows1258(law);
    expect(bytes.includes('?')).toBe(false);
    const { text } = await read('a.txt', bytes);
    expect(text).toBe(law);
    expect(text).toBe(text.normalize('NFC'));
  });

  test('Windows-1252 is not taken for Windows-1258', async () => {
    for (const text of [
      'Le marché a été notifié à l’entreprise dès le 5 août, où elle siège – « voilà ».',
      'Il contratto può essere così modificato perché è già più caro; però no.',
      'Die Vergabestelle prüft Größe und Eignung gemäß § 5.',
      'Það er ekki svo að þú óir því; ýmis mál bíða.',
    ]) {
      expect((await read('a.txt', iconv.encode(text, 'windows-1252'))).text).toBe(text);
    }
  });

  test('HTML is read in the encoding that the page declares', async () => {
    const page = `<html><head><meta charset="windows-1258"></head><body><p>${law}</p>`;
    expect((await read('a.html', windows1258(page))).text).toBe(law);
    const russian =
      '<html><head><meta http-equiv="Content-Type" content="text/html; charset=windows-1251"></head><p>Закупки</p>';
    expect((await read('a.html', iconv.encode(russian, 'windows-1251'))).text).toBe('Закупки');
  });

  test('an encoding of the media type is honoured', async () => {
    const bytes = iconv.encode('Закупки и торги', 'koi8-r');
    expect((await read('a.txt', bytes, { mediaType: 'text/plain; charset=KOI8-R' })).text).toBe(
      'Закупки и торги',
    );
  });

  test('UTF-8 with a damaged byte keeps the rest', async () => {
    const bytes = Buffer.concat([Buffer.from(law), Buffer.from([0xe1, 0x20]), Buffer.from(law)]);
    expect((await read('a.txt', bytes)).text).toBe(`${law}\ufffd ${law}`);
  });
});

describe('extracted text', () => {
  test('is in composed form', async () => {
    expect((await read('a.txt', law.normalize('NFD'))).text).toBe(law);
  });

  test('has no NUL bytes, control characters or invisible characters', async () => {
    expect((await read('a.txt', 'Giá\0 gói\x07 thầu\u200b là\u00ad 5')).text).toBe('Giá gói thầu là 5');
    expect((await read('a.json', '{"a\\u0000b":"x\\u0000y"}')).text).toBe('ab: xy');
  });

  test('has no lone surrogates, which Postgres refuses', async () => {
    const { text } = await read('a.json', '{"a":"x\\ud800y","b":"\\udc00","c":"\\ud83d\\ude00"}');
    expect(text.isWellFormed()).toBe(true);
    expect(text).toContain('c: 😀');
  });
});
