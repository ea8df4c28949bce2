import type { Filter, Operand } from '@sluice/contract';
import { indexedCharacters, indexedValue, type MetadataIndex, typedValue } from './metadata-index.ts';
import type { Parameters } from './parameters.ts';

type Path = readonly string[];
type Comparison = Extract<Filter, { op: 'eq' | 'gt' | 'gte' | 'lt' | 'lte' }>;

interface Compiler extends Pick<Parameters, 'bind'> {
  /** The declared index for values of that type at that path, as an expression. */
  indexed: (path: Path, operand: Operand) => string | undefined;
}

const sqlTypes = { number: 'numeric', text: 'text', boolean: 'boolean', datetime: 'timestamptz' } as const;
const sqlOperators = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

// GIN has no condition for "one of several", so that short lists are alternatives of it; longer ones would cost more to plan.
const maxAlternatives = 16;

function nested(path: Path, value: unknown): unknown {
  return path.reduceRight((inner, key) => Object.fromEntries([[key, inner]]), value);
}

/** By keys only: `->` with a text does not look into arrays, as `#>` does. */
function valueAt(path: Path, { bind }: Compiler): string {
  return `(metadata ${path.map((key) => `-> ${bind(key, 'text')}`).join(' ')})`;
}

const contains = (value: unknown, { bind }: Compiler) =>
  `metadata @> ${bind(JSON.stringify(value), 'jsonb')}`;

/** Equality, in the form that the GIN index on metadata can serve where no other index does. */
function equals(path: Path, operand: Operand, compiler: Compiler): string {
  const { bind } = compiler;
  const indexed = compiler.indexed(path, operand);
  if (operand.type === 'datetime' || (indexed && operand.type !== 'json')) {
    const value = indexed ?? typedValue(valueAt(path, compiler), operand.type);
    return `${value} = ${bind(operand.value, sqlTypes[operand.type])}`;
  }
  const contained = contains(nested(path, operand.value), compiler);
  // Containment of a scalar is equality; an object can contain more, an array too, and in any order.
  if (operand.value === null || typeof operand.value !== 'object') return contained;
  return `${contained} and ${valueAt(path, compiler)} = ${bind(JSON.stringify(operand.value), 'jsonb')}`;
}

function compares({ op, path, operand }: Comparison, compiler: Compiler): string {
  if (op === 'eq') return equals(path, operand, compiler);
  const { type, value } = operand;
  const left = compiler.indexed(path, operand) ?? typedValue(valueAt(path, compiler), type);
  return `${left} ${sqlOperators[op]} ${compiler.bind(value, sqlTypes[type])}`;
}

/** Padded to a power of two by its last member, so that lists of many lengths share a few statements. */
function padded<T>(list: readonly T[]): T[] {
  const length = 2 ** Math.ceil(Math.log2(list.length));
  return Array.from({ length }, (_, i) => list[Math.min(i, list.length - 1)] as T);
}

function isOneOf(path: Path, operands: readonly Operand[], compiler: Compiler): string {
  const { bind } = compiler;
  const [first] = operands as readonly [Operand];
  const values = operands.map(({ value }) => value);
  if (first.type !== 'json' && operands.every(({ type }) => type === first.type)) {
    const indexes = operands.map((operand) => compiler.indexed(path, operand));
    if (!indexes.includes(undefined))
      return `${indexes[0]} = any(${bind(values, `${sqlTypes[first.type]}[]`)})`;
  }
  const instants = operands.filter(({ type }) => type === 'datetime').map(({ value }) => value);
  const others = operands.filter(({ type }) => type !== 'datetime');
  const terms: string[] = [];
  if (instants.length > 0) {
    const instant = typedValue(valueAt(path, compiler), 'datetime');
    terms.push(`${instant} = any(${bind(instants, 'timestamptz[]')})`);
  }
  if (others.length > maxAlternatives) {
    const list = bind(
      others.map(({ value }) => JSON.stringify(value)),
      'jsonb[]',
    );
    terms.push(`${valueAt(path, compiler)} = any(${list})`);
  } else if (others.length > 0) {
    terms.push(...padded(others).map((operand) => `(${equals(path, operand, compiler)})`));
  }
  return terms.join(' or ');
}

/** What of `value` is a scalar with an index, apart from the rest. */
function splitIndexed(
  value: Readonly<Record<string, unknown>>,
  path: Path,
  compiler: Compiler,
): { terms: string[]; rest: Record<string, unknown> } {
  const terms: string[] = [];
  const rest: [string, unknown][] = [];
  for (const [key, member] of Object.entries(value)) {
    const place = [...path, key];
    const operand = scalar(member);
    if (operand && compiler.indexed(place, operand)) terms.push(equals(place, operand, compiler));
    else if (member === null || typeof member !== 'object' || Array.isArray(member)) rest.push([key, member]);
    else {
      const inner = splitIndexed(member as Record<string, unknown>, place, compiler);
      terms.push(...inner.terms);
      // That it is an object follows from what was found in it.
      if (inner.terms.length === 0 || Object.keys(inner.rest).length > 0) rest.push([key, inner.rest]);
    }
  }
  return { terms, rest: Object.fromEntries(rest) };
}

function scalar(value: unknown): Operand | undefined {
  if (typeof value === 'number') return { type: 'number', value };
  if (typeof value === 'string') return { type: 'text', value };
  return typeof value === 'boolean' ? { type: 'boolean', value } : undefined;
}

function containment(value: Readonly<Record<string, unknown>>, compiler: Compiler): string {
  const { terms, rest } = splitIndexed(value, [], compiler);
  if (terms.length === 0 || Object.keys(rest).length > 0) terms.push(contains(rest, compiler));
  return terms.join(' and ');
}

function compile(filter: Filter, compiler: Compiler): string {
  switch (filter.op) {
    case 'and':
    case 'or':
      return filter.filters.map((inner) => `(${compile(inner, compiler)})`).join(` ${filter.op} `);
    case 'not':
      // Unknown counts as false, here and in a where clause.
      return `(${compile(filter.filter, compiler)}) is not true`;
    case 'contains':
      return containment(filter.value, compiler);
    case 'exists':
      return `${valueAt(filter.path, compiler)} is not null`;
    case 'in':
      return isOneOf(filter.path, filter.operands, compiler);
    default:
      return compares(filter, compiler);
  }
}

/** A longer text is equal, less or greater by what is not in the index; a shorter one is decided by what is. */
const isDecided = ({ type, value }: Operand) => type !== 'text' || value.length < indexedCharacters;

/** A key may have a dot in it, and then it is none of a field. */
const isAt = (field: string, path: Path) =>
  field === path.join('.') && field.split('.').length === path.length;

/** A condition on a column `metadata jsonb`. Values and keys are parameters; the text says the shape of the filter alone. */
export function compileFilter(
  filter: Filter,
  { bind }: Pick<Parameters, 'bind'>,
  indexes: readonly MetadataIndex[] = [],
): string {
  return compile(filter, {
    bind,
    indexed(path, operand) {
      const index = indexes.find(({ field, type }) => type === operand.type && isAt(field, path));
      return index && isDecided(operand) ? indexedValue(index) : undefined;
    },
  });
}
