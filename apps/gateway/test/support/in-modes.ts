import { describeWithServices, type Need } from '@sluice/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Client, createClient } from './client.ts';
import { type Environment, type Mode, startSluice } from './running-service.ts';

const modes: Record<Mode, { title: string; needs: Need[] }> = {
  embedded: { title: 'in the embedded mode', needs: [] },
  'postgres-only': { title: 'with Postgres only', needs: ['postgres'] },
  services: { title: 'with Postgres and Redis', needs: ['postgres', 'redis'] },
};

/** What a suite runs against; there once its tests run. */
export interface SluiceOfSuite {
  readonly url: string;
  readonly environment: Environment;
  readonly client: Client;
}

/** The same suite once in each of these modes, each on a gateway and a worker of its own. */
export function describeInModes(
  title: string,
  chosen: readonly Mode[],
  suite: (sluice: SluiceOfSuite) => void,
): void {
  for (const mode of chosen) {
    const { title: where, needs } = modes[mode];
    const run = () => suite(startedForSuite(mode));
    if (needs.length === 0) describe(`${title}, ${where}`, run);
    else describeWithServices(needs, `${title}, ${where}`, run);
  }
}

function startedForSuite(mode: Mode): SluiceOfSuite {
  let sluice: Awaited<ReturnType<typeof startSluice>> | undefined;
  let client: Client;
  const started = () => {
    if (!sluice) throw new Error('asked for before the suite has begun');
    return sluice;
  };
  beforeAll(async () => {
    sluice = await startSluice(mode);
    client = createClient(sluice.url);
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());
  return {
    get url() {
      return started().url;
    },
    get environment() {
      return started().environment;
    },
    get client() {
      started();
      return client;
    },
  };
}
