import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ROOT } from './repository.ts';

export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  spec: Record<string, unknown>;
  data?: Record<string, string>;
}

export const folder = join(ROOT, 'deploy/kubernetes');

export function readResources(file: string): Resource[] {
  return parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Resource;
  });
}

export const files = readdirSync(folder).filter(
  (name) => name.endsWith('.yaml') && name !== 'kustomization.yaml',
);

export interface Policy {
  type: 'Percent' | 'Pods';
  value: number;
  periodSeconds: number;
}

/** https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#configurable-scaling-behavior */
export interface Behaviour {
  scaleUp: { stabilizationWindowSeconds: number; policies: Policy[] };
  scaleDown: { stabilizationWindowSeconds: number; policies: Policy[] };
}
