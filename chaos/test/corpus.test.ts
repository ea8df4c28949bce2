import { createRandom } from '@sluice/testing';
import { expect, test } from 'vitest';
import { bytesOf, type Content, markersOf } from '../src/corpus/content.ts';
import { createCorpus } from '../src/corpus/corpus.ts';
import { markersIn } from '../src/corpus/paragraphs.ts';
import { planFaults } from '../src/faults.ts';

const versions = (seed: number): { key: string; contents: Content[] }[] =>
  createCorpus(seed, 60, 300).map(({ key, next }) => ({ key, contents: Array.from({ length: 6 }, next) }));

test('the same seed writes the same versions, another one others', () => {
  expect(versions(1)).toEqual(versions(1));
  expect(versions(1)).not.toEqual(versions(2));
});

test('the markers of a version stand in its bytes once and in order, and every version of a document has some', () => {
  for (const { key, contents } of versions(3)) {
    for (const content of contents) {
      const markers = markersOf(content);
      if (!markers) continue;
      expect(markers.length).toBeGreaterThan(0);
      expect(new Set(markers).size).toBe(markers.length);
      expect(markersIn(key, bytesOf(content).toString())).toEqual(markers);
    }
  }
});

test('a corpus has small, large, foreign and broken versions in both collections', () => {
  const corpus = createCorpus(4, 400, 300);
  const contents = corpus.flatMap(({ next }) => [next(), next()]);
  expect(new Set(contents.map(({ kind }) => kind))).toEqual(new Set(['written', 'file', 'broken']));
  expect(new Set(corpus.map(({ collection }) => collection))).toEqual(new Set(['plain', 'remote']));
  expect(contents.some((content) => (markersOf(content)?.length ?? 0) >= 300)).toBe(true);
});

test('every fault comes in a run of any length, and more of them in a long one', () => {
  const names = (kills: number, redis: boolean) =>
    planFaults(kills, redis, createRandom(1, 'faults')).map(({ name }) => name);
  expect(names(1, true)).toHaveLength(5);
  expect(new Set(names(1, false))).toEqual(new Set(['gateway kill', 'postgres restart', 'postgres kill']));
  expect(names(1_000, true)).toHaveLength(25);
});
