import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Spread, spread } from './statistics.ts';

/** What one round of one contender gave, by metric. */
export type Figures = Record<string, number>;

export interface Contender {
  name: string;
  measure(): Promise<Figures>;
}

export interface Metric {
  /** Of `Figures`. */
  key: string;
  /** With its unit. */
  title: string;
  better: 'higher' | 'lower';
}

/** One situation that all contenders were put in, in turn. */
export interface Case {
  name: string;
  /** By contender, in the order of the rounds. */
  rounds: Map<string, Figures[]>;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * A B, B A, A B, ...: the machine drifts, so contenders take turns, whoever was first is last in the next round, and
 * ratios are taken within a round. A first round is dropped: code is compiled and caches are filled in it.
 */
export async function alternate(
  name: string,
  contenders: readonly Contender[],
  { rounds, onRound }: { rounds: number; onRound: (text: string) => void },
): Promise<Case> {
  const figures = new Map<string, Figures[]>(contenders.map((contender) => [contender.name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    onRound(`${name}: ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}`);
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      // Nobody pays for what the one before has left behind.
      collectGarbage();
      const measured = await contender.measure();
      if (round > 0) figures.get(contender.name)?.push(measured);
    }
  }
  return { name, rounds: figures };
}

export function figure({ rounds }: Case, contender: string, metric: Metric): Spread {
  return spread(figuresOf(rounds, contender).map((figures) => valueIn(figures, metric)));
}

/** Over 1: ours is better. Round by round, so that a drift of the machine cancels out. */
export function ratio({ rounds }: Case, ours: string, peer: string, metric: Metric): Spread {
  const peers = figuresOf(rounds, peer);
  return spread(
    figuresOf(rounds, ours).map((figures, i) => {
      const mine = valueIn(figures, metric);
      const theirs = valueIn(peers[i] as Figures, metric);
      return metric.better === 'higher' ? mine / theirs : theirs / mine;
    }),
  );
}

function figuresOf(rounds: Case['rounds'], contender: string): Figures[] {
  const figures = rounds.get(contender);
  if (!figures) throw new Error(`nothing was measured of ${contender}`);
  return figures;
}

function valueIn(figures: Figures, { key }: Metric): number {
  const value = figures[key];
  if (value === undefined) throw new Error(`${key} was not measured`);
  return value;
}
