import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ScaledObject, TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { loadConfig, variables } from '@sluice/config';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Job } from 'kubernetes-models/batch/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { files, folder, type Resource, readResources } from './kubernetes-files.ts';

const models = {
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  PodDisruptionBudget,
  ScaledObject,
  Service,
  TriggerAuthentication,
};

interface Container {
  args: string[];
  env?: { name: string; value: string }[];
  ports?: { name: string; containerPort: number }[];
  livenessProbe?: { httpGet: { path: string; port: string } };
  readinessProbe?: { httpGet: { path: string; port: string } };
}
interface PodSpec {
  containers: [Container];
  terminationGracePeriodSeconds?: number;
}

const resources = files.flatMap((file) => readResources(file));
const find = (kind: string, name: string): Resource => {
  const found = resources.find((resource) => resource.kind === kind && resource.metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
};
const podOf = ({ spec }: Resource) => (spec.template as { spec: PodSpec }).spec;
const config = find('ConfigMap', 'sluice').data as Record<string, string>;
const ours = [
  find('Deployment', 'sluice-gateway'),
  find('Deployment', 'sluice-worker'),
  find('Job', 'sluice-migrate'),
];

function environmentOf(resource: Resource): Record<string, string> {
  const [container] = podOf(resource).containers;
  return { ...config, ...Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value])) };
}

describe('the manifests for Kubernetes', () => {
  test.each(resources.map((resource) => [`${resource.kind} ${resource.metadata.name}`, resource] as const))(
    '%s fits the schema of its kind',
    (_, resource) => {
      const Model = models[resource.kind as keyof typeof models] as unknown as new (
        content: unknown,
      ) => { apiVersion: string; validate(): void };
      const model = new Model(resource);
      expect(model.apiVersion).toBe(resource.apiVersion);
      model.validate();
    },
  );

  test('the schemas refuse what does not fit', () => {
    const broken = new Deployment({ metadata: { name: 'a' }, spec: { replicas: 'two' } } as never);
    expect(() => broken.validate()).toThrow();
  });

  test('the kustomization has each file but the alternative', () => {
    const { resources: listed } = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as {
      resources: string[];
    };
    expect([...listed, 'worker-hpa.yaml'].sort()).toEqual([...files].sort());
  });

  test.each(ours.map((resource) => [resource.metadata.name, resource] as const))(
    '%s sets only variables that there are, to what they may be',
    (_, resource) => {
      const environment = environmentOf(resource);
      for (const name of Object.keys(environment)) expect(variables).toHaveProperty(name);
      const secrets = {
        DATABASE_URL: 'postgres://db/sluice',
        REDIS_URL: 'redis://r',
        SLUICE_API_KEYS: 'a'.repeat(32),
      };
      const { shutdownTimeoutMs } = loadConfig({ ...environment, ...secrets });
      const { terminationGracePeriodSeconds: grace = 30 } = podOf(resource);
      if (resource.kind === 'Deployment') expect(grace * 1_000).toBeGreaterThan(shutdownTimeoutMs + 5_000);
    },
  );

  test('probes and services meet the ports that the processes listen on', () => {
    for (const [resource, variable] of [
      [ours[0], 'PORT'],
      [ours[1], 'WORKER_PORT'],
    ] as const) {
      const [container] = podOf(resource as Resource).containers;
      const [port] = container.ports ?? [];
      expect(String(port?.containerPort)).toBe(environmentOf(resource as Resource)[variable]);
      expect(container.livenessProbe?.httpGet).toEqual({ path: '/healthz', port: port?.name });
      expect(container.readinessProbe?.httpGet).toEqual({ path: '/readyz', port: port?.name });
    }
    const { ports } = find('Service', 'sluice-gateway').spec as { ports: { targetPort: string }[] };
    expect(ports.map(({ targetPort }) => targetPort)).toEqual(['http']);
  });

  test('both autoscalers keep to the limits that the gateway is told of, and behave alike', () => {
    const { minReplicaCount, maxReplicaCount, advanced } = find('ScaledObject', 'sluice-worker').spec as {
      minReplicaCount: number;
      maxReplicaCount: number;
      advanced: { horizontalPodAutoscalerConfig: { behavior: unknown } };
    };
    const { minReplicas, maxReplicas, behavior } = find('HorizontalPodAutoscaler', 'sluice-worker').spec;
    const limits = { min: Number(config.SCALE_MIN_WORKERS), max: Number(config.SCALE_MAX_WORKERS) };
    expect({ min: minReplicaCount, max: maxReplicaCount }).toEqual(limits);
    expect({ min: minReplicas, max: maxReplicas }).toEqual(limits);
    expect(advanced.horizontalPodAutoscalerConfig.behavior).toEqual(behavior);
  });
});
