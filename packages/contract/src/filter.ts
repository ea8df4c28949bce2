/**
 * What a filter means, after parsing (`parse-filter.ts`). Every node is true or false of a document's metadata:
 *
 * - A path leads through objects only, by their keys. Where it leads nowhere, and where the value there has another JSON type
 *   than the operand, a comparison is false. JSON null is a value of its own type.
 * - `not` turns true into false, so it is true of documents that do not have the key at all.
 * - `contains` is containment as in Postgres (`@>`): objects by members, arrays by elements, scalars by equality.
 * - Numbers compare as decimals, texts by code points, `datetime` as instants.
 */
export type Filter =
  | { op: 'and' | 'or'; filters: readonly Filter[] }
  | { op: 'not'; filter: Filter }
  | { op: 'contains'; value: Readonly<Record<string, unknown>> }
  | { op: 'exists'; path: readonly string[] }
  | { op: 'eq'; path: readonly string[]; operand: Operand }
  | { op: 'gt' | 'gte' | 'lt' | 'lte'; path: readonly string[]; operand: OrderedOperand }
  | { op: 'in'; path: readonly string[]; operands: readonly Operand[] };

export type OrderedOperand =
  | { type: 'number'; value: number }
  | { type: 'text'; value: string }
  /** ISO 8601 with an offset. Values of metadata are strings of that form, or of a date alone, which is its midnight in UTC. */
  | { type: 'datetime'; value: string };

export type Operand =
  | OrderedOperand
  | { type: 'boolean'; value: boolean }
  /** null, an array or an object */
  | { type: 'json'; value: unknown };
