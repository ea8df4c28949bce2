import type { Readiness, RecommendationBody, UploadBody } from '@sluice/contract';
import type { MonitoringReports } from '../client/client.ts';
import { harmless, paint } from '../terminal.ts';

const column = 13;
const heading = (text: string) => paint.bold(text);
const line = (name: string, text: string) => `${name.padEnd(column)} ${text}`;
const figure = (value: number) => Math.round(value * 10) / 10;
const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

export function renderReadiness({ checks }: Readiness): string[] {
  return Object.entries(checks).map(([name, { ok, latency_ms: latency, detail }]) => {
    const mark = ok ? paint.green('ok') : paint.red('no');
    return line(name, `${mark}  ${ok ? `${latency} ms` : harmless(detail ?? 'does not answer')}`);
  });
}

function renderProcesses({ replicas }: MonitoringReports['pool']): string {
  const workers = replicas.filter(({ role }) => role === 'worker');
  const troubles = [
    [workers.filter(({ work }) => work?.state === 'paused').length, 'paused by the database'],
    [workers.filter(({ work }) => work && !work.healthy).length, 'stuck'],
  ] as const;
  const told = troubles.filter(([count]) => count > 0).map(([count, what]) => `, ${count} ${what}`);
  return `${plural(replicas.length - workers.length, 'gateway')}, ${plural(workers.length, 'worker')}${told.join('')}`;
}

export function renderFigures({ pool, database, queues, scaling }: MonitoringReports): string[] {
  const { pool_status: status, pool_utilization: use, budget } = pool;
  const shared = budget ? `; ${budget.share} are its share of ${budget.limit - budget.reserve} for all` : '';
  const { uploads } = queues;
  const oldest = uploads.queued > 0 ? `, the oldest for ${uploads.oldest_age_seconds} s` : '';
  const chunks = database.collection_stats.reduce((sum, { chunks: count }) => sum + count, 0);
  return [
    line(
      'connections',
      `${status.checked_out} of ${status.pool_size} + ${status.max_overflow} in use (${use.usage_percent} %), ${status.waiting} wait${shared}`,
    ),
    ...Object.entries(status.lanes)
      .filter(([, lane]) => lane.use_ms.count > 0)
      .map(([name, lane]) =>
        line(
          `  ${name}`,
          `p95 of the last minutes: ${figure(lane.acquire_wait_ms.p95)} ms for a connection, held for ${figure(lane.use_ms.p95)} ms`,
        ),
      ),
    line('processes', renderProcesses(pool)),
    line(
      'uploads',
      `${uploads.queued} wait${oldest}, ${uploads.processing} in work, ${uploads.failed} failed`,
    ),
    line('workers', `${scaling.needed_workers} needed: ${scaling.reason}`),
    line(
      'collections',
      `${database.collection_stats.length} with ${plural(chunks, 'chunk')}; Postgres ${database.database.postgres}, pgvector ${database.database.pgvector}`,
    ),
  ];
}

const colours = { critical: paint.red, warning: paint.yellow, info: paint.cyan };

export function renderRecommendation(recommendation: RecommendationBody): string[] {
  const { id, severity, subject, summary, evidence, setting, command } = recommendation;
  const figures = Object.entries(evidence).map(([name, value]) => `${name} ${value}`);
  return [
    `${colours[severity](severity)}  ${heading(id)}${subject ? `  ${harmless(subject)}` : ''}`,
    `  ${harmless(summary)}`,
    `  rests on: ${harmless(figures.join(', '))}`,
    ...(setting ? [`  setting: ${setting}`] : []),
    ...(command ? [`  command: ${command}`] : []),
  ];
}

export function renderUpload(upload: UploadBody): string[] {
  const { state, stage, attempts, progress, error, waiting } = upload;
  const of = progress.total === null ? '' : `, ${progress.done} of ${plural(progress.total, 'chunk')}`;
  return [
    `${heading(harmless(upload.name))}  ${upload.id}`,
    line('state', `${state}, ${stage}${of}, ${plural(attempts, 'attempt')}`),
    ...(waiting ? [line('why', `${waiting.detail} (${waiting.reason}, ${waiting.ahead} before it)`)] : []),
    ...(error
      ? [
          line('last error', `${error.code}: ${harmless(error.message)}`),
          line(
            '',
            error.retryable ? 'the cause may pass' : 'the same upload will fail again: change it first',
          ),
        ]
      : []),
  ];
}
