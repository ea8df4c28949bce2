/** What one member asks of the fleet. All but `weight` are whole numbers of connections. */
export interface ShareClaim {
  id: string;
  /** Above 0. A member of weight 2 gets twice the share of one of weight 1, floors and caps permitting. */
  weight: number;
  /** Given before anybody gets more than a floor. */
  floor: number;
  /** Never exceeded, even when connections stay unused. */
  cap: number;
}

/**
 * Divides `limit` connections: weighted, at least the floor, at most the cap, and nothing left over while somebody is
 * below the cap. The same for the same set in any order.
 *
 * This is Webster's method (Sainte-Laguë) with minimum requirements: every connection beyond the floors goes to whom
 * it brings closest to the weights. Unlike rounding by largest remainders it has no paradoxes: with a higher limit or
 * with a member less, nobody gets fewer.
 *
 * When the floors together are above the limit they are the caps, and the limit is divided below them.
 */
export function computeShares(claims: readonly ShareClaim[], limit: number): Map<string, number> {
  const floors = claims.reduce((sum, { floor }) => sum + floor, 0);
  if (floors > limit) {
    return divide(
      claims.map((claim) => ({ ...claim, floor: 0, cap: claim.floor })),
      Math.max(0, limit),
    );
  }
  return divide(claims, limit);
}

function divide(claims: readonly ShareClaim[], limit: number): Map<string, number> {
  const shares = new Map(claims.map(({ id, floor }) => [id, floor]));
  let left = limit - claims.reduce((sum, { floor }) => sum + floor, 0);
  for (; left > 0; left -= 1) {
    const next = furthestBehind(claims, shares);
    if (!next) break;
    shares.set(next.id, shares.get(next.id)! + 1);
  }
  return shares;
}

function furthestBehind(claims: readonly ShareClaim[], shares: Map<string, number>): ShareClaim | undefined {
  let best: ShareClaim | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const claim of claims) {
    const share = shares.get(claim.id)!;
    if (share >= claim.cap) continue;
    const rank = (share + 0.5) / claim.weight;
    if (rank < bestRank || (rank === bestRank && best && claim.id < best.id)) {
      best = claim;
      bestRank = rank;
    }
  }
  return best;
}
