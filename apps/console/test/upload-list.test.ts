import type { UploadBody } from '@sluice/contract';
import { expect, it } from 'vitest';
import { foldStatus, withoutUpload } from '../src/uploads/upload-list.ts';
import { sampleUpload } from './sample-upload.ts';

const acceptedAt = (id: string, accepted_at: string) => {
  const upload = sampleUpload({ id });
  return { ...upload, timings: { ...upload.timings, accepted_at } };
};
const fold = (...statuses: UploadBody[]) =>
  statuses.reduce<readonly UploadBody[]>((list, status) => foldStatus(list, status), []);
const embedding = (done: number) =>
  sampleUpload({
    id: 'a',
    state: 'processing',
    stage: 'embedding',
    attempts: 1,
    progress: { done, total: 9 },
  });
const ready = sampleUpload({
  id: 'a',
  state: 'ready',
  stage: 'done',
  attempts: 1,
  progress: { done: 9, total: 9 },
});

it('lists the newest upload first, in whatever order they become known', () => {
  const days = ['02', '03', '01'].map((day) => acceptedAt(day, `2026-01-${day}T00:00:00.000Z`));
  expect(fold(...days).map(({ id }) => id)).toEqual(['03', '02', '01']);
});

it('follows an upload to its end and lists it once', () => {
  expect(fold(sampleUpload({ id: 'a' }), embedding(0), embedding(4), ready)).toEqual([ready]);
});

it('keeps its place when the status of an upload changes', () => {
  const newer = acceptedAt('b', '2026-02-01T00:00:00.000Z');
  expect(fold(sampleUpload({ id: 'a' }), newer, ready).map(({ id }) => id)).toEqual(['b', 'a']);
});

it('passes over a status that arrives late', () => {
  expect(fold(embedding(4), embedding(2))).toEqual([embedding(4)]);
  expect(fold(embedding(4), sampleUpload({ id: 'a' }))).toEqual([embedding(4)]);
  expect(fold(ready, embedding(8))).toEqual([ready]);
});

it('starts over with a new attempt', () => {
  const second = { ...embedding(0), stage: 'extracting' as const, attempts: 2 };
  expect(fold(embedding(4), second)).toEqual([second]);
});

it('forgets a deleted upload', () => {
  expect(withoutUpload(fold(ready, sampleUpload({ id: 'b' })), 'a').map(({ id }) => id)).toEqual(['b']);
});

it('starts over when an upload that has failed is in line again, once that was asked for afterwards', () => {
  const failed = sampleUpload({ id: 'a', state: 'failed', stage: 'done', attempts: 2 });
  const retried = sampleUpload({ id: 'a', attempts: 2 });
  expect(foldStatus([failed], retried)).toEqual([failed]);
  expect(foldStatus([failed], retried, { newest: true })).toEqual([retried]);
});
