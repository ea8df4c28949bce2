// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed here
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u2060\ufeff]/g;

/**
 * Text as it is stored and embedded: `\n` line ends, no control characters (Postgres refuses NUL), no lone surrogates, NFC.
 * Soft hyphens, zero-width spaces and byte order marks go too: they are invisible and make equal words differ.
 */
export function cleanText(text: string): string {
  return text
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(/[\v\f]/g, '\n')
    .replace(controls, '')
    .toWellFormed()
    .normalize('NFC');
}

/** `cleanText` for running text: blanks are collapsed, lines trimmed, and there are no blank lines. */
export function cleanProse(text: string): string {
  return cleanText(text)
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{2,}/g, '\n')
    .trim();
}

/** One line: what a heading, a table cell or a title becomes. */
export function cleanLine(text: string): string {
  return cleanText(text).replace(/\s+/g, ' ').trim();
}
