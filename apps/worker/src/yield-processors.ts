import { getPriority, setPriority } from 'node:os';
import { type Environment, loadConfig } from '@sluice/config';

/**
 * Leaves the processors to others on the machine, by `WORKER_NICE`; for a process that is a worker and nothing else, and before it makes
 * threads, which inherit it. What was given up before stays so. Throws `ConfigError`.
 */
export function yieldProcessors(environment: Environment): void {
  const { nice } = loadConfig(environment).worker;
  if (nice > getPriority()) setPriority(nice);
}
