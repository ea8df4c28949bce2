import { computeShares, type ShareClaim } from './shares.ts';

type Standing = ShareClaim & { granted: number; limit: number; place: number };

/** The limit that all members agree on while a new configuration is rolled out: the lowest. */
export function commonLimit(members: readonly { limit: number }[]): number {
  return members.reduce((lowest, { limit }) => Math.min(lowest, limit), Number.POSITIVE_INFINITY);
}

/**
 * Those that wait and whose floors fit beside everybody's before them, first come first. The first that does not fit
 * ends the line, so that smaller ones that arrive later cannot keep it waiting for ever.
 */
export function inLine<M extends Standing>(members: readonly M[]): M[] {
  const limit = commonLimit(members);
  const waiting = members.filter(({ granted }) => granted === 0).sort((a, b) => a.place - b.place);
  let floors = members.reduce((sum, { granted, floor }) => sum + (granted > 0 ? floor : 0), 0);
  const line: M[] = [];
  for (const member of waiting) {
    floors += member.floor;
    if (floors > limit) break;
    line.push(member);
  }
  return line;
}

/**
 * The share everybody should end up with. Room is made for those in line; who does not fit is not counted. All members
 * compute this for themselves, from the same records to the same result.
 */
export function targetShares(members: readonly Standing[]): Map<string, number> {
  const counted = [...members.filter(({ granted }) => granted > 0), ...inLine(members)];
  return computeShares(counted, commonLimit(members));
}
