import type { Response } from 'express';
import type { Caller } from '../access/caller.ts';
import { HttpProblem } from '../http-problem.ts';
import type { Meter, Reading } from './meter.ts';
import { secondsUntilReset, tellQuota } from './rate-limit-headers.ts';

const periodSeconds = 86_400;

/** What uploads of a request count for. Disposed of before it is settled, the request has brought nothing and counts for nothing. */
export interface UploadReservation extends AsyncDisposable {
  settle(brought: { uploads: number; bytes: number }): Promise<void>;
}

export interface UploadQuotas {
  /**
   * Takes one upload and the bytes that are announced before any arrive, so that requests at the same time cannot all be the last one. A
   * request that is within its quotas then is taken whole. Throws `quota_exceeded`.
   */
  reserve(response: Response, announcedBytes: number): Promise<UploadReservation>;
}

export interface UploadQuotasOptions {
  meters: { uploads: Meter; bytes: Meter };
  /** Of keys that have none of their own; 0: no limit. */
  defaults: { uploadsPerDay: number; uploadBytesPerDay: number };
}

interface Charge {
  meter: Meter;
  amount: number;
}

export function createUploadQuotas({ meters, defaults }: UploadQuotasOptions): UploadQuotas {
  function quotasOf({ limits }: Caller) {
    return [
      { kind: 'uploads', name: 'uploads', limit: limits.uploadsPerDay ?? defaults.uploadsPerDay },
      { kind: 'bytes', name: 'upload-bytes', limit: limits.uploadBytesPerDay ?? defaults.uploadBytesPerDay },
    ] as const;
  }

  function refuse(name: string, limit: number, given: number, reading: Reading): HttpProblem {
    const retryAfterSeconds = secondsUntilReset(reading);
    const used = reading.used - given;
    const detail = `this API key has a quota of ${limit} ${name} a day, and has used ${used}; it begins anew in ${retryAfterSeconds} s`;
    return new HttpProblem('quota_exceeded', detail, { quota: name, limit, used, given, retryAfterSeconds });
  }

  return {
    async reserve(response, announcedBytes) {
      const { caller } = response.req;
      const id = caller.keyId ?? 'local';
      const announced = { uploads: 1, bytes: announcedBytes };
      const taken: Partial<Record<'uploads' | 'bytes', Charge>> = {};
      let settled = false;
      async function giveBack(): Promise<void> {
        if (settled) return;
        settled = true;
        await Promise.all(Object.values(taken).map(({ meter, amount }) => meter.add(id, -amount)));
      }
      for (const { kind, name, limit } of quotasOf(caller)) {
        if (limit === 0) continue;
        const amount = announced[kind];
        const reading = await meters[kind].add(id, amount);
        taken[kind] = { meter: meters[kind], amount };
        tellQuota(response, { name, limit, periodSeconds }, reading);
        // With nothing announced it is only known that there will be something.
        if (reading.used > limit || (amount === 0 && reading.used === limit)) {
          await giveBack();
          throw refuse(name, limit, amount, reading);
        }
      }
      return {
        async settle(brought) {
          settled = true;
          for (const kind of ['uploads', 'bytes'] as const) {
            const charge = taken[kind];
            const more = brought[kind] - (charge?.amount ?? 0);
            if (charge && more !== 0) await charge.meter.add(id, more);
          }
        },
        [Symbol.asyncDispose]: giveBack,
      };
    },
  };
}
