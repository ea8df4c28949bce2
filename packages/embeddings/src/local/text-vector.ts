import { hashPair, hashText, mix } from './feature-hash.ts';
import { isStopWord } from './stop-words.ts';
import { foldWord, splitWords } from './words.ts';

/*
 * Feature hashing (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009): each feature adds its
 * weight, with a sign of its own, to components of its own. Texts with features in common point the same way; the rest averages out.
 *
 * Vectors are stored, so the same text must give the same bits on every machine, forever. Hence only +, *, / and sqrt, which
 * IEEE 754 rounds exactly (Math.log and Math.pow are not), a fixed order of additions, and weights that never change: another
 * weight, another word in a list, is another model name.
 */
const weights = {
  /** The word without diacritics. */
  folded: 1,
  /** The word with them, where it has any: the exact spelling ranks a little higher. */
  exact: 0.4,
  /** All character trigrams of a word together: other forms of the word. */
  trigrams: 0.7,
  /** Two neighbouring words; in Vietnamese, most words are two syllables. */
  pair: 1,
  exactPair: 0.35,
  /** Three words in a row: what tells one passage of a repetitive text from another. */
  triple: 0.7,
  /** What a word counts for if it is a stop word, by itself. */
  alone: { yes: 0.2, perhaps: 0.8, no: 1 },
  /** What it takes from a pair or triple: less, as turns of phrase are made with stop words. */
  inRun: { yes: 0.5, perhaps: 0.8, no: 1 },
  /** Count at which a repeated feature reaches half of its greatest possible weight. */
  saturation: 1,
};

/** Each feature falls into this many components: a collision of two features then spoils a part of them only. */
const probes = 2;
/** Shorter words, most Vietnamese syllables among them, share too many trigrams with words that they have nothing to do with. */
const shortestSpelledWord = 5;
const longestSpelledWord = 40;

const seeds = { folded: 1, exact: 2, trigram: 3, empty: 4 };

/** What a word adds whatever text it stands in. */
interface WordFeatures {
  readonly foldedHash: number;
  readonly exactHash: number;
  /** Factor for the pairs and triples that it is part of. */
  readonly inRun: number;
  /** Which components of the vector, in ascending order, and how much to each. */
  readonly components: Uint16Array;
  readonly values: Float64Array;
}

interface Counted {
  count: number;
  readonly weight: number;
}

/** Turns texts into unit vectors. Remembers words, as most words of a text have been met before; results do not depend on it. */
export function createTextVectorizer(dimensions: number): (text: string) => Float32Array {
  const known = new Map<string, WordFeatures>();

  function featuresOf(word: string): WordFeatures {
    let features = known.get(word);
    if (features === undefined) {
      if (known.size >= 50_000) known.clear();
      features = wordFeatures(word, dimensions);
      known.set(word, features);
    }
    return features;
  }

  return (text) => {
    const sum = new Float64Array(dimensions);
    const words = splitWords(text).map(featuresOf);
    for (const [{ components, values }, count] of countWords(words)) {
      const factor = saturate(count);
      for (let index = 0; index < components.length; index += 1) {
        sum[components[index]!]! += factor * values[index]!;
      }
    }
    for (const [hash, { count, weight }] of countRuns(words)) scatter(sum, hash, weight * saturate(count));
    return unitLength(sum);
  };
}

function countWords(words: readonly WordFeatures[]): Map<WordFeatures, number> {
  const counts = new Map<WordFeatures, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** Pairs and triples by their hash, in the order of first occurrence. */
function countRuns(words: readonly WordFeatures[]): Map<number, Counted> {
  const runs = new Map<number, Counted>();
  const count = (hash: number, weight: number) => {
    const run = runs.get(hash);
    if (run === undefined) runs.set(hash, { count: 1, weight });
    else run.count += 1;
  };
  for (let index = 1; index < words.length; index += 1) {
    const first = words[index - 1]!;
    const second = words[index]!;
    const third = words[index + 1];
    const inRun = first.inRun * second.inRun;
    const pair = hashPair(first.foldedHash, second.foldedHash);
    count(pair, weights.pair * inRun);
    if (first.exactHash !== first.foldedHash || second.exactHash !== second.foldedHash) {
      count(hashPair(first.exactHash, second.exactHash), weights.exactPair * inRun);
    }
    if (third !== undefined) count(hashPair(pair, third.foldedHash), weights.triple * inRun * third.inRun);
  }
  return runs;
}

/** Sublinear: 1 for the first occurrence, never more than 1 + saturation. */
function saturate(count: number): number {
  return (count * (1 + weights.saturation)) / (count + weights.saturation);
}

function scatter(sum: Float64Array, hash: number, weight: number): void {
  const share = weight / Math.sqrt(probes);
  for (let probe = 1; probe <= probes; probe += 1) {
    const position = mix(hash + Math.imul(probe, 0x9e3779b1));
    sum[(position >>> 1) % sum.length]! += (position & 1) === 0 ? share : -share;
  }
}

function wordFeatures(word: string, dimensions: number): WordFeatures {
  const folded = foldWord(word);
  const stopWord = isStopWord(word, folded);
  const factor = weights.alone[stopWord];
  const foldedHash = hashText(folded, seeds.folded);
  const exactHash = folded === word ? foldedHash : hashText(word, seeds.exact);
  const sum = new Float64Array(dimensions);
  scatter(sum, foldedHash, weights.folded * factor);
  if (folded !== word) scatter(sum, exactHash, weights.exact * factor);
  const spelled = `^${folded.slice(0, longestSpelledWord)}$`;
  const trigrams = spelled.length - 2;
  if (folded.length >= shortestSpelledWord) {
    const weight = (weights.trigrams * factor) / Math.sqrt(trigrams);
    for (let start = 0; start < trigrams; start += 1) {
      scatter(sum, hashText(spelled.slice(start, start + 3), seeds.trigram), weight);
    }
  }
  const components: number[] = [];
  for (let component = 0; component < dimensions; component += 1) {
    if (sum[component] !== 0) components.push(component);
  }
  return {
    foldedHash,
    exactHash,
    inRun: weights.inRun[stopWord],
    components: Uint16Array.from(components),
    values: Float64Array.from(components, (component) => sum[component]!),
  };
}

/** A text without words gets a vector as well: the cosine of a zero vector is not a number. */
function unitLength(sum: Float64Array): Float32Array {
  let squares = squareSum(sum);
  if (squares === 0) {
    scatter(sum, hashText('', seeds.empty), 1);
    squares = squareSum(sum);
  }
  const norm = Math.sqrt(squares);
  return Float32Array.from(sum, (value) => value / norm);
}

function squareSum(values: Float64Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return squares;
}
