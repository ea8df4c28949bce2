import type { TestProject } from 'vitest/node';
import { removeEmbeddedTemplate } from './embedded-database.ts';
import { type StartedServices, startServices, type TestServices } from './find-services.ts';
import { dropDatabasesOfRun } from './test-database.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    sluiceServices: TestServices;
  }
}

interface Shared {
  users: number;
  started: Promise<StartedServices>;
}

// Every project that asks for services runs this file once, each in a module graph of its own, but all in one
// process. The first one starts the services, the last one to finish stops them.
const KEY = Symbol.for('sluice.testing.services');
const holder = globalThis as { [KEY]?: Shared };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  holder[KEY] ??= { users: 0, started: startAndAnnounce() };
  const shared = holder[KEY];
  shared.users += 1;
  const started = await shared.started;
  project.provide('sluiceServices', started.services);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    delete holder[KEY];
    await removeEmbeddedTemplate(started.services.runId);
    await dropDatabasesOfRun(started.services);
    await started[Symbol.asyncDispose]();
  };
}

async function startAndAnnounce(): Promise<StartedServices> {
  const started = await startServices();
  announce(started.services);
  return started;
}

function announce({ source, databaseUrl, redisUrl, why }: TestServices): void {
  const lines = [`Services for the tests: ${source}`];
  if (!databaseUrl || !redisUrl) {
    const missing = [!databaseUrl && 'Postgres', !redisUrl && 'Redis'].filter(Boolean).join(' and ');
    lines.push(`WARNING: no ${missing}: ${why}`);
    lines.push(
      'WARNING: suites that need them do not run; only what works on the embedded Postgres is tested.',
    );
  }
  process.stderr.write(`${lines.join('\n')}\n`);
}
