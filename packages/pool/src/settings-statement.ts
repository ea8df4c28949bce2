const texts = new Map<number, string>();

/** Sets so many settings until the end of the transaction, and returns no rows: `concat` evaluates all and is never null. */
function textFor(count: number): string {
  let text = texts.get(count);
  if (text === undefined) {
    const calls = Array.from(
      { length: count },
      (_, i) => `set_config($${2 * i + 1}::text, $${2 * i + 2}::text, true)`,
    );
    text = `select where concat(${calls.join(', ')}) is null`;
    texts.set(count, text);
  }
  return text;
}

export function settingsStatement(settings: Readonly<Record<string, string>>): {
  text: string;
  values: string[];
} {
  const values = Object.entries(settings).flat();
  return { text: textFor(values.length / 2), values };
}
