import { PoolError } from '../errors.ts';
import type { BudgetMember, BudgetStatus } from './budget.ts';
import { type Timer, within } from './clock.ts';
import type { ResolvedFleetOptions } from './fleet-options.ts';
import type { LimitSource } from './limit.ts';
import { Membership } from './membership.ts';
import { exhausted, tooSmall, unreachable } from './refusal.ts';

/** From a call of `join` until its member has left. */
export interface Session {
  /** The first share, or why there is none. */
  readonly first: Promise<number>;
  status(): Pick<BudgetStatus, 'state' | 'share' | 'granted' | 'members' | 'waiting'> & { degraded?: string };
  leave(): Promise<void>;
}

/**
 * One heartbeat after the other, never two at a time, whatever the store does. A timer of its own fences the share, so
 * that a store that hangs cannot delay it. No timer keeps the process alive, but for the one of the join's deadline.
 */
export function openSession(
  options: ResolvedFleetOptions,
  limit: LimitSource,
  member: BudgetMember,
): Session {
  const { clock, store, heartbeatMs, quickMs, answerMs, fenceMs, joinTimeoutMs } = options;
  const first = Promise.withResolvers<number>();
  const membership = new Membership(options, { held: () => member.held(), onShare });
  let joined = false;
  let failures = 0;
  let lastError: unknown;
  let deafness: unknown;
  let left: Promise<void> | undefined;
  let beatTimer: Timer | undefined;
  let fenceTimer: Timer | undefined;

  function onShare(share: number): void {
    if (!joined) {
      if (share > 0) enter(share);
      return;
    }
    try {
      member.onShare(share);
      deafness = undefined;
    } catch (error) {
      deafness = error;
    }
  }

  function enter(share: number): void {
    joined = true;
    clock.clearTimeout(deadline);
    member.signal?.removeEventListener('abort', onAbort);
    first.resolve(share);
  }

  function call<T>(what: () => Promise<T>): Promise<T> {
    const late = () => new Error(`no answer within ${answerMs} ms`);
    return within(clock, answerMs, (async () => what())(), late);
  }

  async function exchange(): Promise<void> {
    const usable = await call(() => limit.usable());
    if (left) return;
    if (!joined && usable < options.floor) return giveUp(tooSmall(options, limit.known!));
    const sentAt = clock.now();
    const answer = await call(() => store.exchange(membership.nextRequest(usable)));
    if (left) return;
    // After a pause of the process the answer may be older than the heartbeat that it stands for.
    if (clock.now() - sentAt >= fenceMs) throw new Error('the answer came too late');
    membership.accept(answer, sentAt);
  }

  async function beat(): Promise<void> {
    const startedAt = clock.now();
    if (membership.fenceInMs <= 0) membership.fence();
    try {
      await exchange();
      failures = 0;
    } catch (error) {
      failures += 1;
      lastError = error;
    }
    if (left) return;
    schedule(startedAt);
  }

  function schedule(startedAt: number): void {
    let period = membership.inMotion ? quickMs : heartbeatMs;
    if (failures > 0) period = Math.min(heartbeatMs, quickMs * 2 ** (failures - 1));
    // Calls that hang have cost more than the period: then it is tried again soon.
    const delay = Math.max(quickMs, period - (clock.now() - startedAt));
    beatTimer = clock.setTimeout(() => {
      running = beat();
    }, delay);
    beatTimer.unref?.();
    clock.clearTimeout(fenceTimer);
    if (membership.fenced) return;
    fenceTimer = clock.setTimeout(() => membership.fence(), Math.max(0, membership.fenceInMs));
    fenceTimer.unref?.();
  }

  function onDeadline(): void {
    const { id, members, settling } = membership;
    const answered = members.length > 0 && limit.known !== undefined;
    giveUp(
      failures === 0 && answered
        ? exhausted(options, { id, members, settling, limit: limit.known! })
        : unreachable(options, lastError ?? new Error('no answer yet')),
    );
  }

  function onAbort(): void {
    giveUp(member.signal?.reason);
  }

  function giveUp(reason: unknown): void {
    void leave().then(() => first.reject(reason));
  }

  async function farewell(): Promise<void> {
    if (member.held() === 0) return await call(() => store.leave(membership.id));
    const usable = await call(() => limit.usable());
    await call(() => store.exchange(membership.lastRequest(usable)));
  }

  function leave(): Promise<void> {
    left ??= (async () => {
      clock.clearTimeout(beatTimer);
      clock.clearTimeout(fenceTimer);
      clock.clearTimeout(deadline);
      member.signal?.removeEventListener('abort', onAbort);
      await running;
      // A store that does not hear of it counts this member as dead after a ttl.
      await farewell().catch(() => undefined);
    })();
    return left;
  }

  function degraded(): string | undefined {
    const { fenced, settling } = membership;
    const parts = [
      failures > 0 ? `no heartbeat since ${failures} attempts: ${messageOf(lastError)}` : '',
      fenced ? 'the share is fenced until the store answers' : '',
      settling ? 'the state in the store is new, shares do not grow yet' : '',
      deafness ? `onShare failed: ${messageOf(deafness)}` : '',
    ].filter(Boolean);
    return parts.length > 0 ? parts.join('; ') : undefined;
  }

  const deadline = clock.setTimeout(onDeadline, joinTimeoutMs);
  member.signal?.addEventListener('abort', onAbort, { once: true });
  let running = beat();

  return {
    first: first.promise,
    status() {
      const admitted = membership.members.filter(({ granted }) => granted > 0).length;
      const trouble = degraded();
      return {
        state: joined ? 'joined' : 'joining',
        share: membership.share,
        granted: membership.granted,
        members: admitted,
        waiting: membership.members.length - admitted,
        ...(trouble === undefined ? {} : { degraded: trouble }),
      };
    },
    leave() {
      // A join that is under way has to end too.
      if (!joined) giveUp(new PoolError('pool_closed', 'left the fleet before there was a share'));
      return leave();
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
