/** How one dependency is, in the shape that `/readyz` shows. */
export interface DependencyHealth {
  ok: boolean;
  latency_ms: number;
  /** What is wrong with it. */
  detail?: string;
}

/** Resolves with what is wrong, or with undefined; what it throws is wrong as well. */
export type DependencyCheck = () => Promise<string | undefined>;

export type DependencyChecks<N extends string> = () => Promise<Record<N, DependencyHealth>>;

// Whoever probes gives up after a few seconds, and then learns nothing.
const deadlineMs = 3_000;

async function timed(check: DependencyCheck): Promise<DependencyHealth> {
  const start = performance.now();
  const latency = () => Math.round((performance.now() - start) * 10) / 10;
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(late.resolve, deadlineMs, `no answer within ${deadlineMs} ms`);
  try {
    const fault = await Promise.race([check(), late.promise]);
    return { ok: fault === undefined, latency_ms: latency(), ...(fault !== undefined && { detail: fault }) };
  } catch (error) {
    return { ok: false, latency_ms: latency(), detail: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}

/** All of them at once, each with its latency. Never rejects. Those who ask while they run share the answer. */
export function createDependencyChecks<N extends string>(
  checks: Readonly<Record<N, DependencyCheck>>,
): DependencyChecks<N> {
  let running: Promise<Record<N, DependencyHealth>> | undefined;
  async function run(): Promise<Record<N, DependencyHealth>> {
    const names = Object.keys(checks) as N[];
    const results = await Promise.all(names.map((name) => timed(checks[name])));
    return Object.fromEntries(names.map((name, i) => [name, results[i]])) as Record<N, DependencyHealth>;
  }
  return () => {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
}
