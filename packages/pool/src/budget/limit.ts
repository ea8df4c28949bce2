import type { Clock } from './clock.ts';

/** Connections of the database, or a function that asks for it, such as `show max_connections`. */
export type Limit = number | (() => Promise<number>);

const REFRESH_MS = 60_000;

export interface LimitSource {
  /** Less the reserve. Waits for the first answer only; later ones are asked for once a minute, without waiting. */
  usable(): Promise<number>;
  /** Undefined before the first answer. */
  readonly known: number | undefined;
}

export function createLimitSource(limit: Limit, reserve: number, clock: Clock): LimitSource {
  let known = typeof limit === 'number' ? limit : undefined;
  let askedAt = 0;
  let asking: Promise<number> | undefined;

  async function ask(fetch: () => Promise<number>): Promise<number> {
    askedAt = clock.now();
    const answer = await fetch();
    if (!Number.isInteger(answer) || answer < 1) throw new RangeError(`a limit of ${answer} connections`);
    known = answer;
    return answer;
  }

  function refresh(): Promise<number> {
    if (typeof limit === 'number') return Promise.resolve(limit);
    asking ??= ask(limit).finally(() => {
      asking = undefined;
    });
    return asking;
  }

  return {
    async usable() {
      if (known === undefined) return (await refresh()) - reserve;
      // The last one stays when it cannot be asked for.
      if (clock.now() - askedAt >= REFRESH_MS) refresh().catch(() => undefined);
      return known - reserve;
    },
    get known() {
      return known;
    },
  };
}
