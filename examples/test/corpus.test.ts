import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { expect, test } from 'vitest';
import { generatedFiles } from '../build/generated-files.ts';
import { corpusFolder, documents } from '../documents.ts';
import { questions } from '../questions.ts';

test('the list of documents and the folder name the same files', async () => {
  expect(documents.map(({ file }) => file).sort()).toEqual((await readdir(corpusFolder)).sort());
});

test('there is a document in every format', () => {
  const extensions = new Set(documents.map(({ file }) => extname(file).slice(1)));
  expect([...extensions].sort()).toEqual(
    ['csv', 'docx', 'epub', 'html', 'json', 'jsonl', 'md', 'pdf', 'pptx', 'txt', 'xlsx'].sort(),
  );
});

test('every question expects a document of its own language', () => {
  for (const { expectedFile, language } of questions) {
    expect(documents.find(({ file }) => file === expectedFile)?.metadata.language).toBe(language);
  }
});

test.each(Object.entries(generatedFiles))('%s is what its source gives', async (name, build) => {
  const kept = await readFile(new URL(name, corpusFolder));
  expect((await build()).equals(kept)).toBe(true);
});

test('the Windows-1258 file decodes to its source', async () => {
  const decoder = new TextDecoder('windows-1258', { fatal: true });
  const text = decoder.decode(await readFile(new URL('chi-dinh-thau.txt', corpusFolder)));
  const source = await readFile(new URL('../sources/chi-dinh-thau.txt', import.meta.url), 'utf8');
  expect(text.normalize('NFC')).toBe(source.normalize('NFC'));
});
