import { collectDefaultMetrics, type Registry } from 'prom-client';
import { readGauge } from './reading.ts';

// Gauges whose names end like those of counters.
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** Memory, processor, event loop, garbage; and which build this is. */
export function registerProcessMetrics(
  registry: Registry,
  about: { service: 'gateway' | 'worker'; version: string },
): void {
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  readGauge(
    registry,
    {
      name: 'sluice_build_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['service', 'version', 'node_version'],
    },
    () => [[{ ...about, node_version: process.versions.node }, 1]],
  );
}
