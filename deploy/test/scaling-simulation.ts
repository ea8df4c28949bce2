import { createArrivalRate, createJobDurations, neededWorkers, type ScalingRule } from '@sluice/monitoring';
import type { Behaviour, Policy } from './kubernetes-files.ts';

export interface RecordedUpload {
  /** Seconds since the recording began. */
  arrivedAt: number;
  /** Seconds from its first attempt to its end. */
  serviceSeconds: number;
}

export interface SimulationOptions {
  uploads: readonly RecordedUpload[];
  rule: ScalingRule;
  /** Undefined: the number of workers stays `rule.minWorkers`. */
  behaviour: Behaviour | undefined;
  concurrency: number;
  /** Between a decision and the first job of a new worker. */
  startSeconds: number;
}

export interface SimulationOutcome {
  /** The longest wait of any upload, in seconds. */
  longestWaitSeconds: number;
  /** How often the number of workers began to go the other way. */
  turns: number;
  mostWorkers: number;
  lastWorkers: number;
  /** Sum over time of the workers that ran, in hours. */
  workerHours: number;
}

interface Worker {
  readyAt: number;
  /** When each of its jobs ends. */
  busyUntil: number[];
  leaving: boolean;
}

/** KEDA's polling interval, and that of the autoscaler. */
const syncSeconds = 15;
/** Of the autoscaler: a smaller difference is no reason to act. */
const tolerance = 0.1;

interface Observation {
  at: number;
  value: number;
}

const since = (history: readonly Observation[], from: number) => history.filter(({ at }) => at >= from);

/** How far a step may go, by the policies: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#scaling-policies */
function limitOf(
  policies: readonly Policy[],
  replicas: readonly Observation[],
  now: number,
  up: boolean,
): number {
  const sign = up ? 1 : -1;
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const before = replicas.findLast(({ at }) => at <= now - periodSeconds) ?? (replicas[0] as Observation);
    return before.value + sign * (type === 'Pods' ? value : Math.ceil((before.value * value) / 100));
  });
  return up ? Math.max(...limits) : Math.min(...limits);
}

/** One decision of a HorizontalPodAutoscaler that was told how many are needed. */
function decide(
  behaviour: Behaviour,
  { wanted, replicas }: { wanted: readonly Observation[]; replicas: readonly Observation[] },
  now: number,
): number {
  const current = (replicas.at(-1) as Observation).value;
  const newest = (wanted.at(-1) as Observation).value;
  if (current > 0 && Math.abs(newest / current - 1) <= tolerance) return current;
  const { scaleUp, scaleDown } = behaviour;
  const upTo = Math.min(...since(wanted, now - scaleUp.stabilizationWindowSeconds).map(({ value }) => value));
  const downTo = Math.max(
    ...since(wanted, now - scaleDown.stabilizationWindowSeconds).map(({ value }) => value),
  );
  if (upTo > current) return Math.min(upTo, limitOf(scaleUp.policies, replicas, now, true));
  if (downTo < current) return Math.max(downTo, limitOf(scaleDown.policies, replicas, now, false));
  return current;
}

/** Second by second: uploads arrive and wait in line, workers take them, and the autoscaler looks every 15 seconds. */
export function simulate(options: SimulationOptions): SimulationOutcome {
  const { uploads, rule, behaviour, concurrency, startSeconds } = options;
  const arrivals = createArrivalRate();
  const durations = createJobDurations();
  const line: RecordedUpload[] = [];
  const ending: { at: number; ms: number }[] = [];
  let workers: Worker[] = Array.from({ length: rule.minWorkers }, () => ({
    readyAt: 0,
    busyUntil: [],
    leaving: false,
  }));
  const replicas: Observation[] = [{ at: 0, value: rule.minWorkers }];
  const wanted: Observation[] = [];
  const outcome: SimulationOutcome = {
    longestWaitSeconds: 0,
    turns: 0,
    mostWorkers: rule.minWorkers,
    lastWorkers: rule.minWorkers,
    workerHours: 0,
  };
  let direction = 0;
  let arrived = 0;

  function work(now: number): void {
    for (const worker of workers) worker.busyUntil = worker.busyUntil.filter((until) => until > now);
    workers = workers.filter(({ leaving, busyUntil }) => !leaving || busyUntil.length > 0);
    for (const worker of workers) {
      while (!worker.leaving && worker.readyAt <= now && worker.busyUntil.length < concurrency) {
        const upload = line.shift();
        if (!upload) return;
        outcome.longestWaitSeconds = Math.max(outcome.longestWaitSeconds, now - upload.arrivedAt);
        worker.busyUntil.push(now + upload.serviceSeconds);
        ending.push({ at: now + upload.serviceSeconds, ms: upload.serviceSeconds * 1_000 });
      }
    }
  }

  function scale(now: number, behaviourNow: Behaviour): void {
    const staying = workers.filter(({ leaving }) => !leaving);
    const { seconds } = durations.mean();
    const { needed } = neededWorkers(
      {
        queued: line.length,
        oldestAgeSeconds: line[0] ? now - line[0].arrivedAt : 0,
        arrivalPerSecond: arrivals.perSecond(),
        serviceSeconds: seconds ?? undefined,
        concurrency,
        workers: staying.filter(({ readyAt }) => readyAt <= now).length,
      },
      rule,
    );
    wanted.push({ at: now, value: needed });
    const next = decide(behaviourNow, { wanted, replicas }, now);
    const step = next - staying.length;
    for (let i = 0; i < step; i += 1)
      workers.push({ readyAt: now + startSeconds, busyUntil: [], leaving: false });
    for (const worker of staying.slice(step < 0 ? step : staying.length)) worker.leaving = true;
    if (step !== 0 && Math.sign(step) !== direction) {
      outcome.turns += 1;
      direction = Math.sign(step);
    }
    replicas.push({ at: now, value: next });
  }

  const last = (uploads.at(-1) as RecordedUpload).arrivedAt + 600;
  for (let now = 0; now < last; now += 1) {
    while (arrived < uploads.length && (uploads[arrived] as RecordedUpload).arrivedAt <= now) {
      line.push(uploads[arrived] as RecordedUpload);
      arrived += 1;
    }
    for (const { ms } of ending.filter(({ at }) => at > now - 1 && at <= now)) durations.record(ms);
    work(now);
    if (behaviour && now % syncSeconds === 0) {
      arrivals.observe(arrived, now * 1_000);
      scale(now, behaviour);
    }
    outcome.mostWorkers = Math.max(outcome.mostWorkers, workers.length);
    outcome.workerHours += workers.length / 3_600;
  }
  outcome.lastWorkers = workers.filter(({ leaving }) => !leaving).length;
  return outcome;
}
