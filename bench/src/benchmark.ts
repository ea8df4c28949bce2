import type { RunningPostgres } from '@sluice/testing';
import type { Case, Metric } from './measure/rounds.ts';

export interface BenchmarkContext {
  /** A smoke run: everything is done, for so short that no figure means anything. */
  readonly quick: boolean;
  progress(text: string): void;
  server(): Promise<RunningPostgres>;
  /** URL of the database with the table `passages`. */
  passages(): Promise<string>;
}

/** Who is put beside whom; the ratio of each of `metrics` is over 1 where `ours` is better. */
export interface Comparison {
  ours: string;
  peers: readonly string[];
  metrics: readonly Metric[];
}

export interface Chart {
  /** Name of the file, in docs/images. */
  file: string;
  alt: string;
  svg: string;
}

export interface Findings {
  cases: readonly Case[];
  comparisons: readonly Comparison[];
  /** Of every contender. */
  metrics: readonly Metric[];
  charts?: readonly Chart[];
}

export interface Benchmark {
  /** On the command line. */
  name: string;
  title: string;
  /** What is measured and how, in Markdown. */
  what: string;
  run(context: BenchmarkContext): Promise<Findings>;
}
