/**
 * What someone typed as a value of metadata: a number, true, false or null as such, text in quotes without them, anything else as
 * the text that it is. Numbers with leading zeros are text: they are ids or telephone numbers.
 */
export function parseValue(typed: string): string | number | boolean | null {
  const text = typed.trim();
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)) return Number(text);
  const quoted = /^(["“”'])(.*)(["“”'])$/s.exec(text);
  return quoted?.[2] ?? text;
}
