const toneMarks = /[\u0300\u0301\u0303\u0309\u0323]/gu;
const byteOf = new Map<string, number>();
for (let byte = 0; byte < 256; byte += 1) {
  byteOf.set(new TextDecoder('windows-1258').decode(Uint8Array.of(byte)), byte);
}

/**
 * Windows-1258 has letters such as "ê" as one byte and the five tones as combining bytes that follow them.
 * Throws on a character that the code page lacks.
 */
export function encodeWindows1258(text: string): Buffer {
  const bytes: number[] = [];
  for (const character of text.normalize('NFC')) {
    for (const part of byteOf.has(character) ? [character] : splitTone(character)) {
      const byte = byteOf.get(part);
      if (byte === undefined) throw new Error(`Windows-1258 has no "${character}"`);
      bytes.push(byte);
    }
  }
  return Buffer.from(bytes);
}

function splitTone(character: string): string[] {
  const parts = character.normalize('NFD');
  return [parts.replace(toneMarks, '').normalize('NFC'), ...(parts.match(toneMarks) ?? [])];
}

/** UTF-16, little endian, with byte order mark: what Notepad writes as "Unicode". */
export function encodeUtf16(text: string): Buffer {
  return Buffer.from(`\uFEFF${text}`, 'utf16le');
}
