import type { LaneName, LaneOptions } from './options.ts';

/**
 * A lane may take one more connection when it stays under its maximum and what is left still covers what the other
 * lanes are guaranteed and do not hold yet. So an idle lane's share can be borrowed only beyond its guarantee, and no
 * lane can be starved.
 */
export function mayTake(
  lane: string,
  held: ReadonlyMap<string, number>,
  lanes: Record<LaneName, Required<LaneOptions>>,
  total: number,
): boolean {
  const own = lanes[lane as LaneName];
  const holds = held.get(lane) ?? 0;
  if (holds >= own.max) return false;
  if (holds < own.guaranteed) return true;
  let used = 0;
  let promised = 0;
  for (const [name, other] of Object.entries(lanes)) {
    const otherHolds = held.get(name) ?? 0;
    used += otherHolds;
    if (name !== lane) promised += Math.max(0, other.guaranteed - otherHolds);
  }
  return total - used - promised > 0;
}
