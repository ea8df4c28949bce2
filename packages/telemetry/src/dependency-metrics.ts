import type { Registry } from 'prom-client';
import type { DependencyChecks } from './dependency-checks.ts';
import { readGauge } from './reading.ts';

/** What `/readyz` says, asked for anew at each reading. */
export function registerDependencyMetrics(registry: Registry, checks: DependencyChecks<string>): void {
  const labelNames = ['dependency'];
  readGauge(
    registry,
    { name: 'sluice_dependency_up', help: '1 when it answers as it should, else 0.', labelNames },
    async () => Object.entries(await checks()).map(([dependency, { ok }]) => [{ dependency }, Number(ok)]),
  );
  readGauge(
    registry,
    { name: 'sluice_dependency_latency_seconds', help: 'Of the last check.', labelNames },
    async () =>
      Object.entries(await checks()).map(([dependency, { latency_ms }]) => [
        { dependency },
        latency_ms / 1_000,
      ]),
  );
}
