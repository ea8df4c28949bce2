/** What the first bytes of a file say about it. */
export type Sniffed =
  | { kind: 'pdf' }
  | { kind: 'zip'; format: 'docx' | 'pptx' | 'xlsx' | 'epub' | null }
  | { kind: 'compound' }
  | { kind: 'html' }
  | { kind: 'text' }
  | { kind: 'other'; name: string }
  | { kind: 'binary' };

const signatures: readonly [name: string, bytes: string][] = [
  ['PNG image', '\x89PNG\r\n\x1a\n'],
  ['JPEG image', '\xff\xd8\xff'],
  ['GIF image', 'GIF87a'],
  ['GIF image', 'GIF89a'],
  ['TIFF image', 'II*\0'],
  ['TIFF image', 'MM\0*'],
  ['RTF document', '{\\rtf'],
  ['PostScript', '%!PS-Adobe'],
  ['gzip archive', '\x1f\x8b'],
  ['bzip2 archive', 'BZh'],
  ['xz archive', '\xfd7zXZ\0'],
  ['Zstandard archive', '\x28\xb5\x2f\xfd'],
  ['7-Zip archive', '7z\xbc\xaf\x27\x1c'],
  ['RAR archive', 'Rar!\x1a\x07'],
  ['Windows program', 'MZ'],
  ['ELF program', '\x7fELF'],
  ['SQLite database', 'SQLite format 3\0'],
  ['WebAssembly module', '\0asm'],
  ['Ogg media', 'OggS'],
  ['RIFF media', 'RIFF'],
  ['MP3 audio', 'ID3'],
  ['Matroska video', '\x1a\x45\xdf\xa3'],
];

const zipMark = 'PK\x03\x04';

/** Reads up to the first 4 KiB. Never throws. */
export function sniff(head: Uint8Array): Sniffed {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const latin = bytes.toString('latin1');
  // Readers accept a PDF whose header comes late, after bytes that a mail gateway or a scanner put in front.
  if (latin.slice(0, 1024).includes('%PDF-')) return { kind: 'pdf' };
  if (['PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'].includes(latin.slice(0, 4))) {
    return { kind: 'zip', format: archiveFormat(bytes) };
  }
  if (latin.startsWith('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')) return { kind: 'compound' };
  const known = signatures.find(([, signature]) => latin.startsWith(signature));
  // A text may well begin with "MZ" or "RIFF".
  if (known !== undefined && (!/^[ -~]{1,4}$/.test(known[1]) || isBinary(bytes)))
    return { kind: 'other', name: known[0] };
  if (latin.startsWith('ftyp', 4) && isBinary(bytes)) return { kind: 'other', name: 'MP4 media' };
  if (isBinary(bytes)) return { kind: 'binary' };
  return looksLikeHtml(bytes) ? { kind: 'html' } : { kind: 'text' };
}

function archiveFormat(bytes: Buffer): 'docx' | 'pptx' | 'xlsx' | 'epub' | null {
  if (bytes.includes('mimetypeapplication/epub+zip')) return 'epub';
  const names = entryNames(bytes);
  if (names.some((name) => name.startsWith('word/'))) return 'docx';
  if (names.some((name) => name.startsWith('ppt/'))) return 'pptx';
  if (names.some((name) => name.startsWith('xl/'))) return 'xlsx';
  return names.includes('META-INF/container.xml') ? 'epub' : null;
}

/** The names in the local headers of a ZIP archive that begin in these bytes. */
function entryNames(bytes: Buffer): string[] {
  const names: string[] = [];
  for (
    let at = bytes.indexOf(zipMark);
    at >= 0 && at + 30 <= bytes.length;
    at = bytes.indexOf(zipMark, at + 4)
  ) {
    names.push(bytes.toString('latin1', at + 30, at + 30 + bytes.readUInt16LE(at + 26)));
  }
  return names;
}

/** Which UTF-16 this is, if it is that without saying so: one half of the byte pairs is mostly zero, the other is not. */
export function sniffUtf16(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const pairs = Math.floor(bytes.length / 2);
  if (pairs < 2) return null;
  let even = 0;
  let odd = 0;
  for (let at = 0; at < pairs * 2; at += 2) {
    if (bytes[at] === 0) even += 1;
    if (bytes[at + 1] === 0) odd += 1;
  }
  if (odd > pairs * 0.3 && even < pairs * 0.05) return 'utf-16le';
  return even > pairs * 0.3 && odd < pairs * 0.05 ? 'utf-16be' : null;
}

/** Whether bytes are too full of control characters to be text. A stray NUL or two does not make a text binary. */
export function isBinary(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || hasUtf16Mark(bytes) || sniffUtf16(bytes) !== null) return false;
  let controls = 0;
  for (const byte of bytes) {
    if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13 && byte !== 27) controls += 1;
  }
  return controls > Math.max(2, bytes.length * 0.05);
}

function hasUtf16Mark(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

function looksLikeHtml(bytes: Buffer): boolean {
  const start = bytes
    .toString('latin1')
    .replaceAll('\0', '')
    .replace(/^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/, '');
  const markup = start.replace(/^(\s+|<\?xml[^>]*>|<!--[\s\S]*?-->)+/, '');
  return /^<(!doctype\s+html|html|head|body)[\s>]/i.test(markup);
}
