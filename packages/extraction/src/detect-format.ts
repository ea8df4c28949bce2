import { extname } from 'node:path';
import { ExtractionError } from './errors.ts';
import { archiveFormats, type Format, formats } from './formats.ts';
import { sniff } from './sniff.ts';

export interface DetectionInput {
  fileName?: string | undefined;
  /** As declared, parameters allowed: `text/html; charset=utf-8`. */
  mediaType?: string | undefined;
  /** The first bytes, up to 4 KiB; all of them if there are fewer. */
  head: Uint8Array;
}

const byExtension = new Map(
  formats.flatMap((entry) => entry.extensions.map((it) => [it, entry.format] as const)),
);
const byMediaType = new Map(
  formats.flatMap((entry) => entry.mediaTypes.map((it) => [it, entry.format] as const)),
);
const generic = new Set([
  '',
  'application/octet-stream',
  'binary/octet-stream',
  'application/x-www-form-urlencoded',
]);

/**
 * Tells the format of a file. The content decides where it can (PDF, archives, HTML); name and media type, in this order,
 * tell apart what is all plain text inside.
 * @throws {ExtractionError} `empty_document`, or `unknown_format` with `details.known` (labels) and `details.detected`.
 */
export function detectFormat({ fileName, mediaType, head }: DetectionInput): Format {
  if (head.length === 0) throw new ExtractionError('empty_document', 'The file is empty.');
  const extension = extname(fileName ?? '')
    .slice(1)
    .toLowerCase();
  const type = (mediaType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  const declared = byExtension.get(extension) ?? byMediaType.get(type) ?? null;
  const sniffed = sniff(head);
  switch (sniffed.kind) {
    case 'pdf':
      return 'pdf';
    case 'zip':
      return sniffed.format ?? requireArchive(declared);
    case 'compound':
      // Word, Excel and PowerPoint wrap an encrypted document in the container of their old formats.
      if (declared !== null && archiveFormats.has(declared)) return declared;
      throw unknownFormat('an Office 97-2003 document');
    case 'other':
      throw unknownFormat(sniffed.name);
    case 'binary':
      // A damaged PDF or archive: reading it gives the precise error.
      if (declared === 'pdf' || (declared !== null && archiveFormats.has(declared))) return declared;
      throw unknownFormat('binary data');
    case 'html':
      return declared === 'markdown' || declared === 'json' || declared === 'jsonl' || declared === 'csv'
        ? declared
        : 'html';
    case 'text':
      return textFormat(declared, extension, type, head);
  }
}

function textFormat(declared: Format | null, extension: string, type: string, head: Uint8Array): Format {
  if (declared === 'pdf' || (declared !== null && archiveFormats.has(declared))) return 'text';
  if (declared !== null) return declared;
  if (type.startsWith('text/')) return 'text';
  if (type.endsWith('+json')) return 'json';
  if (extension !== '' || !generic.has(type))
    throw unknownFormat(extension === '' ? type : `a .${extension} file`);
  return /^\s*[[{]/.test(Buffer.from(head).toString('latin1')) && parsesAsJson(head) ? 'json' : 'text';
}

function parsesAsJson(head: Uint8Array): boolean {
  if (head.length >= 4096) return /^\s*(\{\s*"|\[\s*[[{"\d])/.test(Buffer.from(head).toString('latin1'));
  try {
    JSON.parse(Buffer.from(head).toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

function requireArchive(declared: Format | null): Format {
  if (declared !== null && archiveFormats.has(declared)) return declared;
  throw unknownFormat('a ZIP archive');
}

function unknownFormat(detected: string): ExtractionError {
  const known = formats.map((entry) => entry.label);
  const message = `This looks like ${detected}, which is not read. Known formats: ${known.join(', ')}.`;
  return new ExtractionError('unknown_format', message, { details: { detected, known } });
}
