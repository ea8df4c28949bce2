import { useEffect } from 'preact/hooks';
import { ViewHead } from '../shell/view-head.tsx';
import { strings } from '../strings/index.ts';
import { Database } from './database.tsx';
import { Fleet } from './fleet.tsx';
import { Health } from './health.tsx';
import { Lanes } from './lanes.tsx';
import type { Monitor } from './monitor.ts';
import { Queues } from './queues.tsx';
import { Recommendations } from './recommendations.tsx';
import { ReportCard } from './report-card.tsx';
import { Tiles } from './tiles.tsx';

export function SystemView({ monitor }: { monitor: Monitor }) {
  useEffect(() => monitor.watch(), [monitor]);
  const words = strings.value.system;
  return (
    <div class="system">
      <ViewHead title={words.title} lead={words.lead} />
      <ReportCard id="health-title" title={words.health} report={monitor.health.value}>
        {(readiness) => <Health readiness={readiness} />}
      </ReportCard>
      <Tiles monitor={monitor} />
      <ReportCard id="advice-title" title={words.recommendations} report={monitor.database.value}>
        {({ recommendations }) => <Recommendations recommendations={recommendations} />}
      </ReportCard>
      <ReportCard id="lanes-title" title={words.lanes} hint={words.lanesHint} report={monitor.pool.value}>
        {(report) => <Lanes report={report} histories={monitor.lanes.value} />}
      </ReportCard>
      <ReportCard id="queues-title" title={words.queues} report={monitor.queues.value}>
        {(report) => <Queues report={report} />}
      </ReportCard>
      <ReportCard id="fleet-title" title={words.budget} report={monitor.pool.value}>
        {(report) => <Fleet report={report} />}
      </ReportCard>
      <ReportCard id="database-title" title={words.database} report={monitor.database.value}>
        {(stats) => <Database stats={stats} recall={monitor.recall.value} />}
      </ReportCard>
    </div>
  );
}
