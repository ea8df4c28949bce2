import type { CacheStats } from '@sluice/cache';
import type { RecommendationBody } from '@sluice/contract';
import type { BudgetStatus } from '@sluice/pool';
import type {
  CollectionFigures,
  FailureCount,
  RunningProcess,
  ServerFacts,
  ServerStatistics,
  UploadFigures,
} from '@sluice/store';
import type { ProcessReport } from '../process-report.ts';

/** All that the rules look at: figures, read once, so that every rule can be run again on the same ones. */
export interface Evidence {
  facts: ServerFacts;
  server: ServerStatistics;
  collections: readonly CollectionFigures[];
  /** Those that were seen lately. */
  processes: readonly RunningProcess<ProcessReport>[];
  /** Of the process that answers. */
  budget: BudgetStatus | undefined;
  cache: Partial<Record<'memory' | 'redis', CacheStats>>;
  /** `maxmemory-policy` of the queue's Redis; undefined without Redis, or where it does not say. */
  evictionPolicy: string | undefined;
  uploads: UploadFigures;
  failures: readonly FailureCount[];
  settings: EvidenceSettings;
}

export interface EvidenceSettings {
  /** The embedded Postgres: its server has no settings to change. */
  embedded: boolean;
  /** VECTOR_INDEX_MEMORY_MB */
  indexMemoryMb: number;
  /** DB_BUDGET_RESERVE */
  reserve: number;
}

export type Recommendation = RecommendationBody;
export type Rule = (evidence: Evidence) => Recommendation[];

type Advice = Pick<Recommendation, 'id' | 'severity' | 'summary' | 'evidence'> &
  Partial<Pick<Recommendation, 'subject' | 'setting' | 'command'>>;

export function advise({ subject = null, setting = null, command = null, ...rest }: Advice): Recommendation {
  return { ...rest, subject, setting, command };
}

export const mebibytes = (bytes: number) => `${Math.round(bytes / 1_048_576)} MiB`;
export const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
export const rounded = (value: number) => Math.round(value * 10) / 10;
