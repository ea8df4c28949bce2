/**
 * Windows-1258 and Windows-1252 share most letters. They differ in five bytes that are tone marks in the one and letters in
 * the other (grave, hook, tilde, acute, dot below), and in a few Vietnamese letters. In Vietnamese a tone mark always
 * follows a vowel; in French, Italian or Icelandic those bytes stand anywhere.
 */
export function looksVietnamese(bytes: Uint8Array): boolean {
  const text = new TextDecoder('windows-1258').decode(bytes);
  const marks = text.match(/[\u0300\u0301\u0303\u0309\u0323]/g)?.length ?? 0;
  const placed = text.match(/[aăâeêioôơuưy][\u0300\u0301\u0303\u0309\u0323]/gi)?.length ?? 0;
  const letters = text.match(/[ơưăđ]/gi)?.length ?? 0;
  const foreign = text.match(/[^\0-\x7f]/g)?.length ?? 0;
  return placed >= marks * 0.95 && marks + letters >= Math.max(1, foreign * 0.3) && marks > 0;
}
