/** What the rule for the number of workers rests on. */
export interface Demand {
  /** Uploads that wait for a worker. */
  queued: number;
  /** How long the oldest of them has waited, in seconds. */
  oldestAgeSeconds: number;
  /** Uploads per second that come in. */
  arrivalPerSecond: number;
  /** That one upload keeps one place of a worker busy; undefined when it was never seen. */
  serviceSeconds: number | undefined;
  /** Uploads that a worker takes at the same time. */
  concurrency: number;
  /** Seen lately. */
  workers: number;
}

export interface ScalingRule {
  /** What the wait of the oldest upload is to stay below, in seconds. */
  targetAgeSeconds: number;
  minWorkers: number;
  maxWorkers: number;
}

export interface ScalingAdvice {
  needed: number;
  /** In words, with the figures. */
  reason: string;
}

// Places that are always busy have a line before them that only grows.
const utilisation = 0.8;
// Before the first upload was done nobody knows how long one takes.
const assumedServiceSeconds = 2;

/**
 * Workers for what comes in, by Little's law (busy places = arrivals x service time), and for working off what waits within the target
 * age. Both rise before the oldest upload is too old, which is what makes this better than a rule on the age alone.
 */
export function neededWorkers(demand: Demand, rule: ScalingRule): ScalingAdvice {
  const { queued, oldestAgeSeconds, arrivalPerSecond, concurrency, workers } = demand;
  const service = demand.serviceSeconds ?? assumedServiceSeconds;
  // What is half way to being late has only the rest of its time left.
  const leftSeconds = Math.max(rule.targetAgeSeconds - oldestAgeSeconds, rule.targetAgeSeconds / 2);
  const flow = (arrivalPerSecond * service) / (concurrency * utilisation);
  const backlog = (queued * service) / (concurrency * leftSeconds);
  const wanted = Math.ceil(Math.round((flow + backlog) * 1_000) / 1_000);
  // Late, although the figures say that it could not be: uploads take longer now than they took.
  const late = oldestAgeSeconds > rule.targetAgeSeconds ? workers + 1 : 0;
  const needed = Math.min(rule.maxWorkers, Math.max(rule.minWorkers, wanted, late, queued > 0 ? 1 : 0));
  const figure = (value: number) => Math.round(value * 100) / 100;
  const known = demand.serviceSeconds === undefined ? ' (assumed: none was done yet)' : '';
  return {
    needed,
    reason:
      `${figure(arrivalPerSecond)} uploads/s of ${figure(service)} s${known} on ${concurrency} places a worker keep ${figure(flow)} workers busy; ` +
      `${queued} that wait, the oldest for ${figure(oldestAgeSeconds)} s, take ${figure(backlog)} more to be worked off in time` +
      (needed < wanted ? `; limited to ${rule.maxWorkers}` : ''),
  };
}
