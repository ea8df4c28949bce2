import { createRandom, type Random } from '@sluice/testing';
import { type Content, corpusFiles, writtenFormats } from './content.ts';
import { newParagraphs, type Paragraph, revise } from './paragraphs.ts';

/** How a logical document is written over its versions. */
export interface DocumentPlan {
  /** Its external id as well. */
  key: string;
  collection: CollectionName;
  /** Starts anew after the document was deleted. */
  next(): Content;
}

export const collectionNames = ['plain', 'remote'] as const;
/** `plain` has the local provider, `remote` the faulty server. */
export type CollectionName = (typeof collectionNames)[number];

const brokenShare = 0.04;
const largeShare = 0.04;
const fileShare = 0.08;
const remoteShare = 0.12;

/** `documents` logical documents, the same for the same seed. Every large one has `largeSentences` or up to twice that. */
export function createCorpus(seed: number, documents: number, largeSentences: number): DocumentPlan[] {
  return Array.from({ length: documents }, (_, i) => createPlan(seed, `doc${i}x`, largeSentences));
}

function createPlan(seed: number, key: string, largeSentences: number): DocumentPlan {
  const random = createRandom(seed, key);
  const remote = random.chance(remoteShare);
  const large = !remote && random.chance(largeShare);
  const file = !large && random.chance(fileShare);
  const sentences = large ? random.between(largeSentences, 2 * largeSentences) : random.between(1, 40);
  const next = file ? files(random) : versions(random, key, sentences);
  return {
    key,
    collection: remote ? 'remote' : 'plain',
    next: () => (random.chance(brokenShare) ? { kind: 'broken' } : next()),
  };
}

function files(random: Random): () => Content {
  return () => ({ kind: 'file', file: random.pick(corpusFiles) });
}

function versions(random: Random, document: string, sentences: number): () => Content {
  const format = sentences > 100 ? random.pick(['text', 'markdown'] as const) : random.pick(writtenFormats);
  let paragraphs: Paragraph[] | undefined;
  let revision = 0;
  return () => {
    revision += 1;
    const shrunk = paragraphs && paragraphs.length < sentences / 2;
    paragraphs =
      paragraphs === undefined || shrunk
        ? newParagraphs(sentences).map(({ place }) => ({ place, revision }))
        : revise(paragraphs, revision, random);
    return { kind: 'written', document, format, paragraphs };
  };
}
