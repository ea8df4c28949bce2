import { open } from 'node:fs/promises';
import { ExtractionError } from '../errors.ts';
import { isBinary, sniffUtf16 } from '../sniff.ts';
import { looksVietnamese } from './vietnamese.ts';

const sampleBytes = 256 * 1024;

/**
 * The encoding of a text file, as a label for `TextDecoder`. A byte order mark decides; then zero bytes (UTF-16); then
 * UTF-8, if the whole file is that; then what was declared; then a guess between Windows-1258 and Windows-1252.
 * @throws {ExtractionError} `undecodable_text` for what is not text.
 */
export async function detectCharset(path: string, declared: string | null): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sampleBytes), 0, sampleBytes, 0);
  const sample = buffer.subarray(0, bytesRead);
  const marked = byteOrderMark(sample);
  if (marked !== null) return marked;
  const wide = sniffUtf16(sample);
  if (wide !== null) return wide;
  if (isBinary(sample))
    throw new ExtractionError('undecodable_text', 'The content is binary data, not text.');
  const label = knownLabel(declared);
  const utf8 = await validateUtf8(path);
  if (utf8 === 'valid' || (utf8 === 'ascii' && label === null)) return 'utf-8';
  if (label !== null && label !== 'utf-8') return label;
  if (mostlyUtf8(sample)) return 'utf-8';
  return looksVietnamese(sample) ? 'windows-1258' : 'windows-1252';
}

function byteOrderMark(bytes: Buffer): string | null {
  const start = bytes.toString('hex', 0, 4);
  if (start === 'fffe0000' || start === '0000feff') {
    throw new ExtractionError('undecodable_text', 'The text is in UTF-32, which is not read.');
  }
  if (start.startsWith('efbbbf')) return 'utf-8';
  if (start.startsWith('fffe')) return 'utf-16le';
  return start.startsWith('feff') ? 'utf-16be' : null;
}

function knownLabel(label: string | null): string | null {
  if (label === null) return null;
  try {
    return new TextDecoder(label.trim()).encoding;
  } catch {
    return null;
  }
}

async function validateUtf8(path: string): Promise<'ascii' | 'valid' | 'invalid'> {
  await using file = await open(path);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  let units = 0;
  try {
    for await (const part of file.createReadStream({ autoClose: false })) {
      bytes += (part as Buffer).length;
      units += decoder.decode(part as Buffer, { stream: true }).length;
    }
    units += decoder.decode().length;
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'invalid';
    throw error;
  }
  return bytes === units ? 'ascii' : 'valid';
}

/** UTF-8 with a few damaged bytes: better read with replacement characters than in another encoding. */
function mostlyUtf8(sample: Buffer): boolean {
  const text = sample.toString('utf8');
  const foreign = text.match(/[^\0-\x7f]/g) ?? [];
  const damaged = foreign.filter((unit) => unit === '\ufffd').length;
  return foreign.length > 0 && damaged <= Math.max(1, foreign.length * 0.1) && foreign.length > damaged * 2;
}
