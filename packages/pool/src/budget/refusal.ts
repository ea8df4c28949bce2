import { PoolError } from '../errors.ts';
import type { ResolvedFleetOptions } from './fleet-options.ts';
import { commonLimit } from './line.ts';
import type { MemberRecord } from './store.ts';

const SHOWN = 10;

export interface Refused {
  id: string;
  /** Reserve included. */
  limit: number;
  members: readonly MemberRecord[];
  settling: boolean;
}

/** No room for the floor, with all that is needed to see why. */
export function exhausted(
  { reserve, floor, joinTimeoutMs }: ResolvedFleetOptions,
  { id, limit, members, settling }: Refused,
): PoolError {
  const others = members.filter((member) => member.id !== id);
  const admitted = others.filter(({ granted }) => granted > 0);
  const place = members.find((member) => member.id === id)?.place ?? 0;
  const ahead = others.filter((other) => other.granted === 0 && other.place < place).length;
  const lowest = Math.min(commonLimit(members), limit - reserve);
  const reasons = [
    `limit ${limit}, reserve ${reserve}, floor ${floor}`,
    lowest < limit - reserve ? `another member allows only ${lowest} for all together` : '',
    `${count(admitted.length, 'member')} with ${sumOf(admitted)} connections${list(admitted)}`,
    ahead > 0 ? `${ahead} waiting before this one` : '',
    settling ? 'the store has lost its state and waits for members that it may not know' : '',
  ].filter(Boolean);
  return new PoolError(
    'budget_exhausted',
    `no share of the database's connections within ${joinTimeoutMs} ms: ${reasons.join('; ')}. ` +
      'Raise max_connections (and the limit), run fewer processes, or lower the floors or the reserve.',
  );
}

/** The limit alone leaves no room for the floor; waiting would not help. */
export function tooSmall({ reserve, floor }: ResolvedFleetOptions, limit: number): PoolError {
  return new PoolError(
    'budget_exhausted',
    `a limit of ${limit} connections with a reserve of ${reserve} leaves no room for a floor of ${floor}. ` +
      'Raise max_connections, or lower the floor or the reserve.',
    { retryable: false },
  );
}

export function unreachable({ store, joinTimeoutMs }: ResolvedFleetOptions, cause: unknown): PoolError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PoolError(
    'budget_unreachable',
    `the connection budget in ${store.driver} could not be reached within ${joinTimeoutMs} ms: ${why}. ` +
      'Without it nobody knows how many connections are free. Check the store, or use a static budget.',
    { cause },
  );
}

function list(members: readonly MemberRecord[]): string {
  if (members.length === 0) return '';
  const shown = members.slice(0, SHOWN).map(({ id, granted }) => `${id}: ${granted}`);
  const more = members.length - shown.length;
  return ` (${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''})`;
}

function sumOf(members: readonly MemberRecord[]): number {
  return members.reduce((sum, { granted }) => sum + granted, 0);
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
