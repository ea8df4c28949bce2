/** The parameters of a statement that is put together from parts. */
export interface Parameters {
  readonly values: unknown[];
  /** Adds a value; returns how the text of the statement refers to it. */
  bind(value: unknown, type: string): string;
}

export function createParameters(): Parameters {
  const values: unknown[] = [];
  return {
    values,
    bind(value, type) {
      values.push(value);
      return `$${values.length}::${type}`;
    },
  };
}
