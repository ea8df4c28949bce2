import { expect, it } from 'vitest';
import { buildFilter, type Condition, type Operator } from '../src/search/filter.ts';

let key = 0;
const condition = (field: string, operator: Operator, value = ''): Condition => ({
  key: ++key,
  field,
  operator,
  value,
});
const filterOf = (field: string, operator: Operator, value?: string) =>
  buildFilter([condition(field, operator, value)]);

it('takes what is typed as the JSON type that it looks like', () => {
  expect(filterOf('year', 'eq', ' 2024 ')).toEqual({ year: { $eq: 2024 } });
  expect(filterOf('draft', 'ne', 'true')).toEqual({ draft: { $ne: true } });
  expect(filterOf('language', 'eq', 'vi')).toEqual({ language: { $eq: 'vi' } });
  expect(filterOf('phone', 'eq', '0084')).toEqual({ phone: { $eq: '0084' } });
  expect(filterOf('year', 'eq', '"2024"')).toEqual({ year: { $eq: '2024' } });
});

it('compares dates as instants where they are ordered, and as text where they are equal', () => {
  expect(filterOf('signed', 'gte', '2024-01-31')).toEqual({ signed: { $gte: { $date: '2024-01-31' } } });
  expect(filterOf('signed', 'lt', '2024-01-31T08:30:00+07:00')).toEqual({
    signed: { $lt: { $date: '2024-01-31T08:30:00+07:00' } },
  });
  expect(filterOf('signed', 'eq', '2024-01-31')).toEqual({ signed: { $eq: '2024-01-31' } });
});

it('writes fields within fields as objects, and keys that look like operators with one more $', () => {
  expect(filterOf('court.level', 'in', '1, 2, high')).toEqual({
    court: { level: { $in: [1, 2, 'high'] } },
  });
  expect(filterOf('$price', 'gt', '5')).toEqual({ $$price: { $gt: 5 } });
});

it('asks whether a field is there without a value', () => {
  expect(filterOf('author', 'exists')).toEqual({ author: { $exists: true } });
  expect(filterOf('author', 'missing')).toEqual({ author: { $exists: false } });
});

it('wants all conditions that are filled in, and no filter when none is', () => {
  expect(buildFilter([condition('a', 'eq', '1'), condition('a', 'lt', '2')])).toEqual({
    $and: [{ a: { $eq: 1 } }, { a: { $lt: 2 } }],
  });
  expect(buildFilter([condition('a', 'eq', '1'), condition('b', 'eq'), condition('', 'eq', 'x')])).toEqual({
    a: { $eq: 1 },
  });
  expect(buildFilter([condition('', 'exists')])).toBeUndefined();
});
