import { Counter, Histogram, type Registry } from 'prom-client';

/**
 * - `ok`: answered.
 * - `refused`: the request was at fault.
 * - `shed`: refused since too much waited.
 * - `deadline_exceeded`: ended after its time limit.
 * - `cancelled`: its client went away.
 * - `failed`: could not be answered.
 */
export type SearchOutcome = 'ok' | 'refused' | 'shed' | 'deadline_exceeded' | 'cancelled' | 'failed';

export interface SearchReport {
  outcome: SearchOutcome;
  mode: string;
  /** Where the answer came from; `none` where there is none. */
  cached: string;
  /** Codes of what was given up. */
  degraded: readonly string[];
  durationMs: number;
}

// Seconds. Answers from the cache take about one ms; after ten seconds there are none, by default.
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** To be told of each query. */
export function createSearchMetrics(registry: Registry): (report: SearchReport) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'sluice_search_requests_total',
    help: 'Queries, by how they ended, where the answer came from, and mode.',
    labelNames: ['outcome', 'cached', 'mode'],
    registers,
  });
  const duration = new Histogram({
    name: 'sluice_search_duration_seconds',
    help: 'From the checked request to its answer or its refusal.',
    labelNames: ['outcome'],
    buckets,
    registers,
  });
  const degraded = new Counter({
    name: 'sluice_search_degraded_total',
    help: 'Answers that something was given up for, by what.',
    labelNames: ['code'],
    registers,
  });
  const ended = {
    shed: new Counter({
      name: 'sluice_search_shed_total',
      help: 'Queries refused with 503 overloaded.',
      registers,
    }),
    cancelled: new Counter({
      name: 'sluice_search_cancelled_total',
      help: 'Queries whose client went away before the answer.',
      registers,
    }),
    deadline_exceeded: new Counter({
      name: 'sluice_search_deadline_exceeded_total',
      help: 'Queries ended after their time limit.',
      registers,
    }),
  };
  return ({ outcome, mode, cached, degraded: codes, durationMs }) => {
    requests.inc({ outcome, cached, mode });
    duration.observe({ outcome }, durationMs / 1_000);
    for (const code of codes) degraded.inc({ code });
    if (outcome === 'shed' || outcome === 'cancelled' || outcome === 'deadline_exceeded')
      ended[outcome].inc();
  };
}
