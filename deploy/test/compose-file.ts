import { parse } from 'yaml';
import { read } from './repository.ts';

export interface Service {
  image: string;
  command: string[];
  restart?: string;
  environment?: Record<string, string | number>;
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
  ports?: string[];
  networks: string[];
  volumes?: string[];
  deploy: { replicas?: string; resources: { limits: { memory: string } } };
  shm_size?: string;
  stop_grace_period?: string;
  container_name?: string;
  init?: boolean;
  build?: { dockerfile: string };
  read_only?: boolean;
  secrets?: string[];
}

export interface ComposeFile {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
}

export const source = read('docker-compose.yml');
/** Prometheus and Grafana, for whoever wants them. */
export const monitoringSource = read('deploy/monitoring.compose.yml');
export const monitoring = parse(monitoringSource) as ComposeFile;

/** As written, with anchors and merge keys resolved. */
export const compose = parse(source, { merge: true }) as ComposeFile;

const REFERENCE = /\$\{(?<name>\w+)(?<operator>:[-?])(?<word>[^}]*)\}/gu;

/** Names of the variables that the file takes from `.env`. */
export function referencedVariables(text: string = source): string[] {
  return [...new Set([...text.matchAll(REFERENCE)].map((match) => match.groups?.name ?? ''))];
}

/** Text with `${NAME:-default}` and `${NAME:?message}` replaced, as docker compose does it. */
export function interpolate(text: string, env: Record<string, string>): string {
  return text.replaceAll(REFERENCE, (_, name: string, operator: string, word: string) => {
    if (env[name]) return env[name];
    if (operator === ':-') return word;
    throw new Error(`${name}: ${word}`);
  });
}

export const REQUIRED = { POSTGRES_PASSWORD: 'a1b2c3d4e5f6' };

/** Environment of a service's container. */
export function environmentOf(
  service: string,
  env: Record<string, string> = REQUIRED,
): Record<string, string> {
  const entries = Object.entries(compose.services[service]?.environment ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, interpolate(String(value), env)]));
}

const UNITS: Record<string, number> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `512m`, `384mb`, `'1GB'`, ... in bytes. */
export function bytes(size: string): number {
  const [, amount, unit] = /^(\d+)([bkmg])b?$/iu.exec(size) ?? [];
  if (!unit) throw new Error(`not a size: ${size}`);
  return Number(amount) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
}

/** `--name value` arguments of a redis-server command. */
export function redisSettings(service: string): Record<string, string> {
  const args = compose.services[service]?.command.slice(1) ?? [];
  return Object.fromEntries(
    args.flatMap((arg, index) => (arg.startsWith('--') ? [[arg.slice(2), args[index + 1] ?? '']] : [])),
  );
}
