import { readDatetime } from './datetime.ts';
import type { Filter, Operand, OrderedOperand } from './filter.ts';
import { isDeeperThan } from './json-depth.ts';

export const filterLimits = {
  /** As JSON. */
  bytes: 65_536,
  /** Of objects and arrays in each other. */
  depth: 16,
  /** Comparisons, `$exists` and containments together. */
  terms: 64,
  /** Of one `$in` or `$nin`. */
  values: 256,
} as const;

/** What is wrong with a filter, and where in it. */
export class FilterFault extends Error {
  readonly path: readonly PropertyKey[];

  constructor(path: readonly PropertyKey[], message: string) {
    super(message);
    this.name = 'FilterFault';
    this.path = path;
  }
}

/** Where the parser is. */
interface Place {
  /** In the filter. */
  at: readonly PropertyKey[];
  /** In the metadata. */
  path: readonly string[];
  count: { terms: number };
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isOperator = (key: string) => /^\$(?!\$)/.test(key);
/** Of the metadata; a leading `$` of it is doubled in filters. */
const plainKey = (key: string) => (key.startsWith('$$') ? key.slice(1) : key);
const inside = (place: Place, key: PropertyKey): Place => ({ ...place, at: [...place.at, key] });
const holdsOperator = (value: unknown): boolean =>
  isObject(value) && Object.entries(value).some(([key, member]) => isOperator(key) || holdsOperator(member));

function checkText(text: string, { at }: Place): void {
  if (text.includes('\0'))
    throw new FilterFault(at, 'contains a NUL character, which no metadata can contain');
  if (!text.isWellFormed())
    throw new FilterFault(at, 'contains half of a surrogate pair, which is not valid Unicode');
}

/** A copy without operators, with the keys as they are in the metadata. */
function literal(value: unknown, place: Place): unknown {
  if (typeof value === 'string') checkText(value, place);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new FilterFault(place.at, 'is a number beyond what a 64-bit float can hold');
  if (Array.isArray(value)) return value.map((member, i) => literal(member, inside(place, i)));
  if (!isObject(value)) return value;
  const members = Object.keys(value)
    .sort()
    .map((key) => {
      const member = inside(place, key);
      if (isOperator(key))
        throw new FilterFault(
          member.at,
          `an operator cannot stand inside a value or an array; a key of the metadata that begins with $ is written $${key}`,
        );
      checkText(key, member);
      return [plainKey(key), literal(value[key], member)] as const;
    });
  // Defines members, so that a key such as __proto__ is one like any other.
  return Object.fromEntries(members);
}

function datetime({ $date, ...rest }: Json, { at }: Place): OrderedOperand {
  const value = typeof $date === 'string' ? readDatetime($date) : undefined;
  if (value !== undefined && Object.keys(rest).length === 0) return { type: 'datetime', value };
  throw new FilterFault(
    at,
    'expected {"$date": "2025-01-31"} or {"$date": "2025-01-31T08:30:00Z"}, an ISO 8601 date, or date and time with Z or an offset',
  );
}

function operand(value: unknown, place: Place): Operand {
  if (isObject(value) && '$date' in value) return datetime(value, place);
  const checked = literal(value, place);
  if (typeof checked === 'number') return { type: 'number', value: checked };
  if (typeof checked === 'string') return { type: 'text', value: checked };
  if (typeof checked === 'boolean') return { type: 'boolean', value: checked };
  return { type: 'json', value: checked };
}

function orderedOperand(value: unknown, place: Place): OrderedOperand {
  const read = operand(value, place);
  if (read.type !== 'boolean' && read.type !== 'json') return read;
  throw new FilterFault(place.at, 'expected a number, a string or {"$date": …}');
}

function list(value: unknown, { at }: Place, max: number, what: string): unknown[] {
  if (Array.isArray(value) && value.length > 0 && value.length <= max) return value;
  throw new FilterFault(at, `expected an array of 1 to ${max} ${what}`);
}

function countTerm({ count, at }: Place): void {
  count.terms += 1;
  if (count.terms <= filterLimits.terms) return;
  throw new FilterFault(at, `the filter has more than ${filterLimits.terms} comparisons`);
}

function combined(op: 'and' | 'or', value: unknown, place: Place): Filter {
  const members = list(value, place, filterLimits.terms, 'filters');
  return { op, filters: members.map((member, i) => parseObject(member, inside(place, i))) };
}

function oneOf(value: unknown, place: Place): Filter {
  const values = list(value, place, filterLimits.values, 'values');
  return {
    op: 'in',
    path: place.path,
    operands: values.map((member, i) => operand(member, inside(place, i))),
  };
}

function exists(value: unknown, { path, at }: Place): Filter {
  if (typeof value !== 'boolean') throw new FilterFault(at, 'expected true or false');
  return value ? { op: 'exists', path } : { op: 'not', filter: { op: 'exists', path } };
}

const ordered =
  (op: 'gt' | 'gte' | 'lt' | 'lte') =>
  (value: unknown, place: Place): Filter => ({ op, path: place.path, operand: orderedOperand(value, place) });
const equal = (value: unknown, place: Place): Filter => ({
  op: 'eq',
  path: place.path,
  operand: operand(value, place),
});

const logic: Readonly<Record<string, (value: unknown, place: Place) => Filter>> = {
  $and: (value, place) => combined('and', value, place),
  $or: (value, place) => combined('or', value, place),
  $not: (value, place) => ({ op: 'not', filter: parseObject(value, place) }),
};
const comparisons: Readonly<Record<string, (value: unknown, place: Place) => Filter>> = {
  $eq: equal,
  $ne: (value, place) => ({ op: 'not', filter: equal(value, place) }),
  $gt: ordered('gt'),
  $gte: ordered('gte'),
  $lt: ordered('lt'),
  $lte: ordered('lte'),
  $in: oneOf,
  $nin: (value, place) => ({ op: 'not', filter: oneOf(value, place) }),
  $exists: exists,
};

function parseOperator(name: string, value: unknown, place: Place): Filter {
  if (Object.hasOwn(logic, name)) return (logic[name] as (typeof logic)[string])(value, place);
  if (!Object.hasOwn(comparisons, name)) {
    const known = [...Object.keys(logic), ...Object.keys(comparisons)].join(' ');
    throw new FilterFault(
      place.at,
      `unknown operator; known are ${known}. A key of the metadata that begins with $ is written with one more: $${name}`,
    );
  }
  if (place.path.length === 0)
    throw new FilterFault(
      place.at,
      `${name} stands below the key that it compares, like {"year": {"${name}": …}}`,
    );
  countTerm(place);
  return (comparisons[name] as (typeof comparisons)[string])(value, place);
}

/** The value at the path of `place` contains this object. */
function containment(members: [string, unknown][], place: Place): Filter {
  countTerm(place);
  const object: Json = Object.fromEntries(members);
  const value = place.path.reduceRight<Json>((inner, key) => Object.fromEntries([[key, inner]]), object);
  return { op: 'contains', value };
}

/** Members in the order of their keys, so that filters which differ in that only are the same. */
function parseObject(value: unknown, place: Place): Filter {
  if (!isObject(value)) throw new FilterFault(place.at, 'expected a JSON object');
  const plain: [string, unknown][] = [];
  const filters: Filter[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    const below = inside(place, key);
    if (isOperator(key)) {
      filters.push(parseOperator(key, member, below));
      continue;
    }
    checkText(key, below);
    const name = plainKey(key);
    if (holdsOperator(member)) filters.push(parseObject(member, { ...below, path: [...place.path, name] }));
    else plain.push([name, literal(member, below)]);
  }
  if (plain.length > 0 || filters.length === 0) filters.unshift(containment(plain, place));
  return filters.length === 1 ? (filters[0] as Filter) : { op: 'and', filters };
}

/** Throws `FilterFault`. */
export function parseFilter(value: unknown): Filter {
  if (isDeeperThan(value, filterLimits.depth))
    throw new FilterFault([], `is nested deeper than ${filterLimits.depth} levels`);
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? '');
  if (bytes > filterLimits.bytes)
    throw new FilterFault([], `has ${bytes} bytes as JSON, at most ${filterLimits.bytes} are allowed`);
  return parseObject(value, { at: [], path: [], count: { terms: 0 } });
}
