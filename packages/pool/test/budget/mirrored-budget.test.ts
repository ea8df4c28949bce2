import { describe, expect, test } from 'vitest';
import { type BudgetMember, createMirroredBudget, createStaticBudget } from '../../src/budget/index.ts';

/** A fleet in the hands of the test: what it was told, and what it tells. */
function createFleet() {
  const inner = createStaticBudget({ limit: 25, reserve: 5, members: 2 });
  let member: BudgetMember | undefined;
  const mirrored = createMirroredBudget({
    ...inner,
    join(joining) {
      member = joining;
      return inner.join(joining);
    },
  });
  return {
    ...mirrored,
    give: (share: number) => member?.onShare(share),
    held: () => member?.held(),
  };
}

function createMember(signal?: AbortSignal) {
  const member = { heldNow: 0, shares: [] as number[] };
  return Object.assign(member, {
    held: () => member.heldNow,
    onShare: (share: number) => void member.shares.push(share),
    ...(signal && { signal }),
  });
}

describe('one share for a primary and its standbys', () => {
  test('is what each of them may have, from the moment on that the primary has joined', async () => {
    const fleet = createFleet();
    const [primary, standby] = [createMember(), createMember()];
    let joined: number | undefined;
    const joining = fleet
      .standby()
      .join(standby)
      .then((share) => {
        joined = share;
      });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(joined).toBeUndefined();
    expect(await fleet.primary.join(primary)).toBe(10);
    await joining;
    expect(joined).toBe(10);
    fleet.give(6);
    expect([primary.shares, standby.shares]).toEqual([[6], [6]]);
    expect(fleet.primary.status()).toMatchObject({ state: 'joined', share: 10 });
  });

  test('counts as held until the last of them has shrunk', async () => {
    const fleet = createFleet();
    const [primary, one, two] = [createMember(), createMember(), createMember()];
    await fleet.primary.join(primary);
    const budgets = [fleet.standby(), fleet.standby()];
    await budgets[0]?.join(one);
    await budgets[1]?.join(two);
    Object.assign(primary, { heldNow: 3 });
    Object.assign(one, { heldNow: 7 });
    Object.assign(two, { heldNow: 5 });
    expect(fleet.held()).toBe(7);
    one.heldNow = 1;
    expect(fleet.held()).toBe(5);
    await budgets[1]?.leave();
    expect(fleet.held()).toBe(3);
    fleet.give(4);
    expect([one.shares, two.shares]).toEqual([[4], []]);
  });

  test('is not waited for by a standby that is closed before there is one', async () => {
    const closing = new AbortController();
    const joining = createFleet().standby().join(createMember(closing.signal));
    closing.abort(new Error('closed'));
    await expect(joining).rejects.toThrow('closed');
  });
});
