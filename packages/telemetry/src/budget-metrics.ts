import type { Registry } from 'prom-client';
import { type Labels, readGauge } from './reading.ts';

export interface BudgetReading {
  state: string;
  limit: number;
  reserve: number;
  share: number;
  members: number;
  waiting: number;
}

/** How the processes share the connections of the server, as this one knows it. */
export function registerBudgetMetrics(registry: Registry, read: () => BudgetReading): void {
  const gauge = (name: string, help: string, value: (reading: BudgetReading) => number) =>
    readGauge(registry, { name, help }, (): [Labels, number][] => [[{}, value(read())]]);
  gauge(
    'sluice_budget_limit_connections',
    'Connections of the server for all processes, reserve included.',
    ({ limit }) => limit,
  );
  gauge('sluice_budget_reserve_connections', 'Left for administrators.', ({ reserve }) => reserve);
  gauge('sluice_budget_share_connections', 'Connections that this process may have.', ({ share }) => share);
  gauge('sluice_budget_members', 'Processes with a share.', ({ members }) => members);
  gauge('sluice_budget_waiting_members', 'Processes for which there is no share.', ({ waiting }) => waiting);
  gauge('sluice_budget_joined', '1 when this process has a share, else 0.', ({ state }) =>
    Number(state === 'joined'),
  );
}
