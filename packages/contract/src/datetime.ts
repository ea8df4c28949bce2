const date = '[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])';
const time = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])';
const pattern = new RegExp(`^(?!0000)${date}(T${time})?$`);

/**
 * The date and time that filters and indexes take for one, with an offset: a date alone is its midnight in UTC. Undefined for
 * every other text. The function `sluice.instant` of the database reads metadata by the same rule.
 */
export function readDatetime(text: string): string | undefined {
  if (!pattern.test(text)) return undefined;
  const [year, month, day] = [text.slice(0, 4), text.slice(5, 7), text.slice(8, 10)].map(Number);
  // Day 0 of the month after is the last of this one.
  const last = new Date(Date.UTC(2000, 0, 1));
  last.setUTCFullYear(year as number, month as number, 0);
  if ((day as number) > last.getUTCDate()) return undefined;
  return text.length === 10 ? `${text}T00:00:00Z` : text;
}
