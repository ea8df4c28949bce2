import type { RunningProcess } from '@sluice/store';
import type { ProcessReport } from '../process-report.ts';
import { advise, type Evidence, type Rule } from './evidence.ts';

const highUsePercent = 80;
const oftenPercent = 20;
// So much is noticed by who waits for a search.
const noticedMs = 10;
const longMs = 100;

type Process = RunningProcess<ProcessReport>;

const nameOf = ({ role, host, pid }: Process) => `${role} ${host}:${pid}`;

/** All connections of the embedded Postgres share one session: there is no size to change. */
const steerable = ({ processes, settings }: Evidence): readonly Process[] =>
  settings.embedded ? [] : processes;

/** More connections for one process help only where the budget of all lets it have them. */
function settingFor({ report }: Process): string {
  const { budget_share: share, pool_size: size, max_overflow: overflow } = report.pool;
  return share !== null && size + overflow < report.wanted
    ? 'max_connections of the server, or fewer processes'
    : 'DB_POOL_SIZE';
}

/** At 80 % the chance to wait is 55 % with 5 connections and 9 % with 50, so the wait says whether it matters. */
export const poolUseHigh: Rule = (evidence) =>
  steerable(evidence)
    .filter(({ report }) => report.pool.use.usagePercent > highUsePercent)
    .map((process) => {
      const { pool } = process.report;
      const matters = pool.use.waitP95Ms >= noticedMs;
      return advise({
        id: 'pool_use_high',
        severity: matters ? 'warning' : 'info',
        subject: nameOf(process),
        summary: matters
          ? 'More than 80 % of the connections were in use over the last minute, and borrowers wait: give the pool more, or make statements shorter.'
          : 'More than 80 % of the connections were in use over the last minute. Nobody waits for long yet.',
        evidence: {
          usage_percent: pool.use.usagePercent,
          acquire_wait_p95_ms: pool.use.waitP95Ms,
          pool_size: pool.pool_size,
          max_overflow: pool.max_overflow,
          budget_share: pool.budget_share,
        },
        setting: settingFor(process),
      });
    });

export const poolOverflowOften: Rule = (evidence) =>
  steerable(evidence)
    .filter(({ report }) => report.pool.use.overflowPercent > oftenPercent)
    .map((process) => {
      const { pool } = process.report;
      return advise({
        id: 'pool_overflow_often',
        severity: 'warning',
        subject: nameOf(process),
        summary:
          'Overflow connections were open for much of the last five minutes. Each is opened for a burst and closed after it, which costs 50 to 100 ms: a larger core keeps them.',
        evidence: {
          overflow_percent: pool.use.overflowPercent,
          pool_size: pool.pool_size,
          max_overflow: pool.max_overflow,
          budget_share: pool.budget_share,
        },
        setting: settingFor(process),
      });
    });

export const poolWaitLong: Rule = (evidence) =>
  steerable(evidence)
    .filter(({ report }) => report.pool.use.waitP95Ms > longMs)
    .map((process) => {
      const { pool } = process.report;
      return advise({
        id: 'pool_wait_long',
        severity: 'warning',
        subject: nameOf(process),
        summary:
          'Borrowers of the interactive or control lane wait for a connection. See which statements are slow before making the pool larger: a server with all processors busy answers no sooner over more connections.',
        evidence: {
          acquire_wait_p95_ms: pool.use.waitP95Ms,
          waiting: pool.waiting,
          checked_out: pool.checked_out,
        },
        setting: settingFor(process),
      });
    });

function exhausted({ budget, facts, processes }: Evidence) {
  if (!budget || budget.waiting === 0) return [];
  return [
    advise({
      id: 'fleet_too_large',
      severity: 'critical',
      summary: `Processes (${budget.waiting}) got no connections at all: allow more on the server, or run fewer processes.`,
      evidence: {
        waiting_processes: budget.waiting,
        members: budget.members,
        limit: budget.limit,
        reserve: budget.reserve,
        max_connections: facts.maxConnections,
        seen_processes: processes.length,
      },
      setting: 'max_connections of the server (and DB_BUDGET_LIMIT, where it is set)',
    }),
  ];
}

/** `max_connections` against what the processes would open. */
export const fleetTooLarge: Rule = (evidence) => {
  const { budget, facts, processes, settings } = evidence;
  if (settings.embedded) return [];
  const critical = exhausted(evidence);
  if (critical.length > 0) return critical;
  const wanted = processes.reduce((sum, { report }) => sum + report.wanted, 0);
  const held = processes.reduce((sum, { report }) => sum + report.pool.pool_size, 0);
  const room = (budget?.limit || facts.maxConnections) - settings.reserve;
  if (wanted <= room) return [];
  return [
    advise({
      id: 'fleet_too_large',
      severity: budget ? 'info' : 'critical',
      summary: budget
        ? 'All processes together would open more connections under load than the server allows. The budget keeps each to its share, so nothing fails; with more connections each could have what it was configured for.'
        : 'All processes together may open more connections than the server allows, and without a budget nothing keeps them from it: set DB_BUDGET, or make the pools smaller.',
      evidence: {
        wanted_connections: wanted,
        core_connections: held,
        allowed_connections: room,
        processes: processes.length,
        max_connections: facts.maxConnections,
      },
      setting: budget ? 'max_connections of the server' : 'DB_BUDGET',
    }),
  ];
};
