import type { Filter, Operand } from '@sluice/contract';

/**
 * What a filter means, told once more without SQL. Big integers stand for numbers of JSON that a float cannot hold.
 */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json };

const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** digits * 10^exponent, as a float is written in decimal. */
function decimal(value: number | bigint): { digits: bigint; exponent: number } {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

function compareNumbers(a: number | bigint, b: number | bigint): number {
  const [x, y] = [decimal(a), decimal(b)];
  const exponent = Math.min(x.exponent, y.exponent);
  const scaled = (d: typeof x) => d.digits * 10n ** BigInt(d.exponent - exponent);
  return Number(scaled(x) > scaled(y)) - Number(scaled(x) < scaled(y));
}

const compareTexts = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Microseconds, undefined for what is no date. */
function instant(value: unknown): bigint | undefined {
  if (typeof value !== 'string') return undefined;
  const parts = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d))?$/.exec(
    value,
  );
  if (!parts) return undefined;
  const [, date = '', time = '00:00', seconds = '00', fraction = '', offset = 'Z'] = parts;
  const start = new Date(`${date}T00:00:00Z`);
  // JavaScript rolls 30 February over into March.
  if (Number.isNaN(start.getTime()) || start.toISOString().slice(0, 10) !== date || date < '0001')
    return undefined;
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):(\d\d)$/.exec(offset) ?? [];
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  if (hour > 23 || minute > 59 || Number(seconds) > 59) return undefined;
  if (Number(hours) > 15 || Number(minutes) > 59) return undefined;
  const shift = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  const total = start.getTime() / 1_000 + (hour * 60 + minute - shift) * 60 + Number(seconds);
  return BigInt(total) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
}

function equal(a: Json, b: Json): boolean {
  const numeric = ['number', 'bigint'];
  if (numeric.includes(typeof a) && numeric.includes(typeof b))
    return compareNumbers(a as number, b as number) === 0;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((member, i) => equal(member, b[i] as Json));
  if (!isObject(a)) return a === b;
  if (!isObject(b) || Object.keys(a).length !== Object.keys(b).length) return false;
  return Object.entries(a).every(([key, member]) => Object.hasOwn(b, key) && equal(member, b[key] as Json));
}

function contains(whole: Json, part: Json): boolean {
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      part.every((wanted) =>
        // An array does not contain a scalar that only an array in it contains.
        whole.some((member) =>
          isObject(wanted) || Array.isArray(wanted) ? contains(member, wanted) : equal(member, wanted),
        ),
      )
    );
  }
  if (!isObject(part)) return equal(whole, part);
  if (!isObject(whole)) return false;
  return Object.entries(part).every(
    ([key, member]) => Object.hasOwn(whole, key) && contains(whole[key] as Json, member),
  );
}

function valueAt(metadata: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = metadata;
  for (const key of path) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** Undefined where the two are not of one type. */
function compare(value: Json, { type, value: operand }: Operand): number | undefined {
  if (type === 'number' && (typeof value === 'number' || typeof value === 'bigint'))
    return compareNumbers(value, operand);
  if (type === 'text' && typeof value === 'string') return compareTexts(value, operand);
  if (type !== 'datetime') return undefined;
  const [a, b] = [instant(value), instant(operand) as bigint];
  return a === undefined ? undefined : Number(a > b) - Number(a < b);
}

const isOperand = (value: Json, operand: Operand) =>
  operand.type === 'datetime' ? compare(value, operand) === 0 : equal(value, operand.value as Json);

export function evaluateFilter(filter: Filter, metadata: Json): boolean {
  switch (filter.op) {
    case 'and':
      return filter.filters.every((inner) => evaluateFilter(inner, metadata));
    case 'or':
      return filter.filters.some((inner) => evaluateFilter(inner, metadata));
    case 'not':
      return !evaluateFilter(filter.filter, metadata);
    case 'contains':
      return contains(metadata, filter.value as Json);
    default: {
      const value = valueAt(metadata, filter.path);
      return value !== undefined && holds(filter, value);
    }
  }
}

function holds(filter: Extract<Filter, { path: readonly string[] }>, value: Json): boolean {
  if (filter.op === 'exists') return true;
  if (filter.op === 'in') return filter.operands.some((operand) => isOperand(value, operand));
  if (filter.op === 'eq') return isOperand(value, filter.operand);
  const order = compare(value, filter.operand);
  if (order === undefined) return false;
  return { gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[filter.op];
}
