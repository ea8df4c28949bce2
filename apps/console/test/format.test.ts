import { expect, it } from 'vitest';
import { createFormat } from '../src/strings/format.ts';
import { languages } from '../src/strings/index.ts';

const { duration, size, since } = createFormat('en');

it('gives a duration in the units that fit it', () => {
  expect([0.42, 12.4, 999, 1_500, 60_000, 61_000, 3_660_000, 90_000_000].map(duration)).toEqual([
    '0.4 ms',
    '12 ms',
    '999 ms',
    '1.5 s',
    '1 min',
    '1 min 1 s',
    '1 hr 1 min',
    '1 day 1 hr',
  ]);
});

it('gives sizes in decimal units', () => {
  expect([512, 4_200, 1_500_000, 2e9].map(size)).toEqual(['512 B', '4.2 kB', '1.5 MB', '2 GB']);
});

it('says how long ago something was, and the day where that is long', () => {
  const now = Date.parse('2026-02-03T12:00:00.000Z');
  expect(since('2026-02-03T11:59:30.000Z', now)).toBe('30 seconds ago');
  expect(since('2026-02-03T11:15:00.000Z', now)).toBe('45 minutes ago');
  expect(since('2026-01-03T11:15:00.000Z', now)).toMatch(/2026/);
  // Clocks differ by a little.
  expect(since('2026-02-03T12:00:03.000Z', now)).toBe('now');
});

it('says everything in every language, and nothing in two of them alike that is a sentence', () => {
  const textsOf = (value: unknown, path = ''): [string, string][] => {
    if (typeof value === 'string') return [[path, value]];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => textsOf(inner, `${path}/${key}`));
  };
  const english = new Map(textsOf(languages.en));
  const alike = textsOf(languages.vi).filter(([path, text]) => english.get(path) === text);
  expect(alike.filter(([, text]) => text.includes(' '))).toEqual([]);
});
