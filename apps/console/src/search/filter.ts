import { parseValue } from '../metadata-value.ts';

export const operators = ['eq', 'ne', 'in', 'gt', 'gte', 'lt', 'lte', 'exists', 'missing'] as const;
export type Operator = (typeof operators)[number];

/** One condition as the form has it. */
export interface Condition {
  key: number;
  /** Keys, outermost first, joined by dots */
  field: string;
  operator: Operator;
  value: string;
}

export const hasValue = (operator: Operator) => operator !== 'exists' && operator !== 'missing';

const isoDate = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

function comparison({ operator, value }: Condition): Record<string, unknown> {
  if (operator === 'exists') return { $exists: true };
  if (operator === 'missing') return { $exists: false };
  if (operator === 'in') return { $in: value.split(',').map(parseValue) };
  const text = value.trim();
  if (operator !== 'eq' && operator !== 'ne' && isoDate.test(text))
    return { [`$${operator}`]: { $date: text } };
  return { [`$${operator}`]: parseValue(text) };
}

/** A key that begins with `$` would be taken for an operator; the API has it with one more. */
const escapeKey = (key: string) => (key.startsWith('$') ? `$${key}` : key);

function place(condition: Condition): Record<string, unknown> {
  const keys = condition.field.trim().split('.').map(escapeKey);
  return keys.reduceRight<Record<string, unknown>>((inner, key) => ({ [key]: inner }), comparison(condition));
}

export const isComplete = ({ field, operator, value }: Condition) =>
  field.trim() !== '' && (!hasValue(operator) || value.trim() !== '');

/** The filter of the API that asks for all conditions which are filled in; undefined when none is. */
export function buildFilter(conditions: readonly Condition[]): Record<string, unknown> | undefined {
  const placed = conditions.filter(isComplete).map(place);
  return placed.length > 1 ? { $and: placed } : placed[0];
}
