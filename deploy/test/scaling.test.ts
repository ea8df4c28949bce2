import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Behaviour, type Resource, readResources } from './kubernetes-files.ts';
import { ROOT } from './repository.ts';
import { type RecordedUpload, type SimulationOptions, simulate } from './scaling-simulation.ts';

// Twenty minutes of a real gateway, worker and a provider that takes its time, [ms of arrival, ms of work] of each upload: calm, a slow rise to 3 a
// second with a folder of 150 files in the middle, calm, and 3 a second at once.
const recorded = JSON.parse(readFileSync(join(ROOT, 'deploy/test/recorded-load.json'), 'utf8')) as [
  number,
  number,
][];
const uploads: RecordedUpload[] = recorded.map(([arrived, worked]) => ({
  arrivedAt: arrived / 1_000,
  serviceSeconds: worked / 1_000,
}));

const [scaledObject] = readResources('worker-keda.yaml');
const { minReplicaCount, maxReplicaCount, advanced } = (scaledObject as Resource).spec as {
  minReplicaCount: number;
  maxReplicaCount: number;
  advanced: { horizontalPodAutoscalerConfig: { behavior: Behaviour } };
};
const [configMap] = readResources('config.yaml');
const targetAgeSeconds = Number(configMap?.data?.SCALE_TARGET_AGE_SECONDS);
const behaviour = advanced.horizontalPodAutoscalerConfig.behavior;
const shipped: SimulationOptions = {
  uploads,
  rule: { targetAgeSeconds, minWorkers: minReplicaCount, maxWorkers: maxReplicaCount },
  behaviour,
  concurrency: Number(configMap?.data?.WORKER_CONCURRENCY),
  startSeconds: 20,
};

describe('a recorded load, scaled by the rule with the numbers of worker-keda.yaml', () => {
  test('was more than one worker can do', () => {
    const { longestWaitSeconds } = simulate({ ...shipped, behaviour: undefined });
    expect(longestWaitSeconds).toBeGreaterThan(2 * targetAgeSeconds);
  });

  test('never lets an upload wait for longer than the target', () => {
    const { longestWaitSeconds, mostWorkers } = simulate(shipped);
    expect(longestWaitSeconds).toBeLessThan(targetAgeSeconds);
    expect(mostWorkers).toBeLessThan(maxReplicaCount);
  });

  test('goes up and down once for each of its two rises, and ends with the fewest', () => {
    const { turns, lastWorkers } = simulate(shipped);
    expect(turns).toBeLessThanOrEqual(4);
    expect(lastWorkers).toBe(minReplicaCount);
  });

  test('would flap if going down did not wait', () => {
    const hasty: Behaviour = {
      ...behaviour,
      scaleDown: { ...behaviour.scaleDown, stabilizationWindowSeconds: 0 },
    };
    expect(simulate({ ...shipped, behaviour: hasty }).turns).toBeGreaterThan(8);
  });

  test('takes less than two thirds of the worker hours that the most workers would take all the time', () => {
    const { mostWorkers, workerHours } = simulate(shipped);
    const hours = ((uploads.at(-1) as RecordedUpload).arrivedAt + 600) / 3_600;
    expect(workerHours).toBeLessThan((mostWorkers * hours * 2) / 3);
  });
});
