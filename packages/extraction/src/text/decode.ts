import { open } from 'node:fs/promises';
import { detectCharset } from './charset.ts';

/** The text of a file, piece by piece. A piece never ends inside a character. */
export async function* decodeFile(path: string, declared: string | null): AsyncGenerator<string> {
  const decoder = new TextDecoder(await detectCharset(path, declared));
  await using file = await open(path);
  for await (const part of file.createReadStream({ autoClose: false })) {
    const text = decoder.decode(part as Buffer, { stream: true });
    if (text !== '') yield text;
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}

/**
 * The lines of a text, numbered from 1, without their ends. A line longer than `longest` UTF-16 units comes in pieces with
 * the same number.
 */
export async function* linesOf(
  parts: AsyncIterable<string>,
  longest: number,
): AsyncGenerator<{ text: string; number: number; partial: boolean }> {
  let rest = '';
  let number = 1;
  let carriage = false;
  for await (const part of parts) {
    // A \r at the end of one part and the \n at the start of the next are one line end.
    const text = carriage && part.startsWith('\n') ? part.slice(1) : part;
    carriage = part.endsWith('\r');
    let start = 0;
    for (const { index, 0: end } of text.matchAll(/\r\n?|\n/g)) {
      yield { text: rest + text.slice(start, index), number: number++, partial: false };
      rest = '';
      start = index + end.length;
    }
    rest += text.slice(start);
    while (rest.length > longest) {
      yield { text: rest.slice(0, longest), number, partial: true };
      rest = rest.slice(longest);
    }
  }
  if (rest !== '') yield { text: rest, number, partial: false };
}
