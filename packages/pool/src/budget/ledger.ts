import { commonLimit, inLine } from './line.ts';
import type { ExchangeAnswer, ExchangeRequest, MemberRecord } from './store.ts';

export interface LedgerMember extends MemberRecord {
  ttlMs: number;
  turn: number;
  /** By the ledger's clock. */
  renewed: number;
}

/** All that a store has to keep. */
export interface Ledger {
  /** Milliseconds in which members talked to the store, see below. */
  clock: number;
  /** The store's wall clock at the last exchange, in milliseconds. */
  at: number;
  /** When this state began, by the ledger's clock; minus infinity when nobody can have been there before. */
  born: number;
  /** Place of the next newcomer. */
  next: number;
  members: LedgerMember[];
}

/** `fresh`: the store has just been set up for the first time, so nobody can hold what it does not know. */
export function newLedger(at: number, { fresh }: { fresh: boolean }): Ledger {
  return { clock: 0, at, born: fresh ? Number.NEGATIVE_INFINITY : 0, next: 1, members: [] };
}

/**
 * The rules of an exchange; exchange.lua has the same ones for Redis, and a test compares the two.
 *
 * Grants add up to no more than the limit, and a grant is never below what its member may hold. So a grant only falls
 * to what is really held, and others only grow by what was really given back. Places for those in line are kept free:
 * an admitted member does not grow into them, and a newcomer does not overtake.
 *
 * The clock nearly stands still while no member talks to the store: one silence counts for at most a quarter of a ttl,
 * and after one of more than half a ttl everybody has a whole ttl to come back. When the store was out of reach for
 * all, or its wall clock jumps, nobody is taken for dead because of it.
 *
 * A state that has just begun (flushed, lost in a crash) does not know who holds connections. For half a ttl
 * newcomers only wait, time enough for every healthy member to come back with what it holds; until a whole ttl has
 * passed they get no more than their floor, and nobody grows. Who has not come back by then counts as dead anyway. A
 * long silence in this time starts it anew.
 */
export function settle(
  ledger: Ledger,
  request: ExchangeRequest,
  at: number,
): { ledger: Ledger; answer: ExchangeAnswer } {
  const silence = Math.max(at - ledger.at, 0);
  const interrupted = silence > request.ttlMs / 2;
  const clock = ledger.clock + Math.min(silence, request.ttlMs / 4);
  const restarts = interrupted && ledger.clock - ledger.born < request.ttlMs;
  const born = restarts ? clock : ledger.born;
  const age = clock - born;
  const known = interrupted
    ? ledger.members.map((member) => ({ ...member, renewed: clock }))
    : ledger.members;
  const own = known.find(({ id }) => id === request.id);
  const others = known.filter(({ id, renewed, ttlMs }) => id !== request.id && clock - renewed <= ttlMs);
  const { request: wanted, ...claim } = request;
  const granted = Math.max(own?.granted ?? 0, request.held);
  let member: LedgerMember = { ...claim, granted, place: own?.place ?? ledger.next, renewed: clock };
  if (own && own.turn >= request.turn) member = own;
  else member.granted = grant(member, others, wanted, age);
  const members = [...others, member];
  const next = Math.max(ledger.next, member.place + 1);
  return {
    ledger: { clock, at, born, next, members },
    answer: { granted: member.granted, members, settling: age < request.ttlMs },
  };
}

/** `member.granted` comes in as what it has, 0 for a newcomer. */
function grant(member: LedgerMember, others: LedgerMember[], wanted: number, age: number): number {
  const members = [...others, member];
  const line = inLine(members);
  const free = commonLimit(members) - others.reduce((sum, { granted }) => sum + granted, 0);
  const settling = age < member.ttlMs;
  if (member.granted > 0) {
    const most = settling ? Math.min(wanted, member.granted) : wanted;
    return Math.max(member.held, Math.min(most, free - floorsOf(line)));
  }
  const place = line.indexOf(member);
  if (place < 0 || age < member.ttlMs / 2) return 0;
  const room = free - floorsOf(line.slice(0, place));
  return room >= member.floor ? Math.min(settling ? member.floor : wanted, room) : 0;
}

function floorsOf(members: readonly LedgerMember[]): number {
  return members.reduce((sum, { floor }) => sum + floor, 0);
}
