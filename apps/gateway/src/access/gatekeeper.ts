import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiKeyRing, KeyLimits } from '@sluice/store';
import { HttpProblem } from '../http-problem.ts';
import { allScopes, type Caller, withImplied } from './caller.ts';
import type { FailedAttempts } from './failed-attempts.ts';

export interface GatekeeperOptions {
  /** Of the environment: good for everything. */
  bootstrapKeys: readonly string[];
  ring: ApiKeyRing;
  /** Whether only this machine can reach the port. Then no key is asked for before there is one. */
  local: boolean;
  failed: FailedAttempts;
}

/** Says who somebody is by the key they send. */
export interface Gatekeeper {
  /** As far as that is known yet. */
  keysRequired(): boolean;
  /** Throws `unauthorized`, `rate_limited` after too many wrong keys, and `database_unavailable` where it cannot be known. */
  identify(key: string | undefined, address: string | undefined): Promise<Caller>;
  /** Calls `onEnd` when the caller may not go on any more. Returns how to stop. */
  whenInvalid(caller: Caller, onEnd: () => void): () => void;
}

const noLimits: KeyLimits = { requestsPerMinute: null, uploadsPerDay: null, uploadBytesPerDay: null };

const digest = (key: string) => createHash('sha256').update(key).digest();

function allowedEverything(keyId: string | undefined, name: string, isValid: () => boolean): Caller {
  return {
    keyId,
    managed: false,
    name,
    scopes: withImplied(allScopes),
    collections: undefined,
    limits: noLimits,
    isValid,
  };
}

export function createGatekeeper({ bootstrapKeys, ring, local, failed }: GatekeeperOptions): Gatekeeper {
  const bootstrap = bootstrapKeys.map((key, i) => ({
    digest: digest(key),
    caller: allowedEverything(`env-${i + 1}`, `key ${i + 1} of SLUICE_API_KEYS`, () => true),
  }));
  const keysRequired = () => !local || bootstrap.length > 0 || ring.any === true;
  const localCaller = allowedEverything(undefined, 'this machine', () => !keysRequired());

  /** Takes the same time whichever byte differs, and whichever key it is. */
  function findBootstrap(key: string): Caller | undefined {
    const presented = digest(key);
    return bootstrap.filter((candidate) => timingSafeEqual(candidate.digest, presented))[0]?.caller;
  }

  async function findManaged(key: string): Promise<Caller | undefined> {
    const found = await ring.find(key).catch((cause) => {
      const detail = 'the database does not answer, so API keys cannot be checked; try again soon';
      throw new HttpProblem('database_unavailable', detail, { retryAfterSeconds: 2 }, { cause });
    });
    if (!found) return undefined;
    const { id, name, scopes, collections, requestsPerMinute, uploadsPerDay, uploadBytesPerDay } =
      found.check;
    return {
      keyId: id,
      managed: true,
      name,
      scopes: withImplied(scopes),
      collections: collections ?? undefined,
      limits: { requestsPerMinute, uploadsPerDay, uploadBytesPerDay },
      isValid: found.isValid,
    };
  }

  /** Whether a key has been made is known only once the table was read: until then nobody is let in. */
  async function isOpen(): Promise<boolean> {
    if (!keysRequired() && ring.any === undefined) {
      await ring.refresh().catch((cause) => {
        const detail =
          'the database does not answer, so it is not known whether API keys are needed; try again soon';
        throw new HttpProblem('database_unavailable', detail, { retryAfterSeconds: 2 }, { cause });
      });
    }
    return !keysRequired();
  }

  return {
    keysRequired,
    async identify(key, address) {
      if (await isOpen()) return localCaller;
      if (key === undefined)
        throw new HttpProblem('unauthorized', 'send an API key as "Authorization: Bearer KEY"');
      const blockedMs = await failed.blockedMs(address);
      // Somebody chose those of the environment, so they might be guessed. The others cannot be, and whoever shares an address with one who
      // guesses can go on with them.
      const caller = (blockedMs === 0 ? findBootstrap(key) : undefined) ?? (await findManaged(key));
      if (caller) return caller;
      await failed.note(address);
      if (blockedMs === 0)
        throw new HttpProblem('unauthorized', 'this API key is not known, has expired or was revoked');
      const retryAfterSeconds = Math.ceil(blockedMs / 1_000);
      const detail = `too many wrong API keys from this address; try again after ${retryAfterSeconds} s`;
      throw new HttpProblem('rate_limited', detail, { retryAfterSeconds });
    },
    whenInvalid: (caller, onEnd) =>
      ring.watch(() => {
        if (!caller.isValid()) onEnd();
      }),
  };
}
