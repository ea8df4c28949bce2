import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Line, Member } from '../../src/line.ts';

describe('a line', () => {
  test('is, after any sequence of steps, what an array would be', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ join: fc.constant(true) }),
        fc.record({ join: fc.constant(false), who: fc.nat({ max: 40 }) }),
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (plan) => {
        const line = new Line<Member>();
        const everybody: Member[] = [];
        const model: Member[] = [];
        for (const step of plan) {
          if (!('who' in step)) {
            const member = new Member();
            everybody.push(member);
            model.push(member);
            line.push(member);
            continue;
          }
          const member = everybody[step.who];
          if (!member) continue;
          const at = model.indexOf(member);
          expect(line.remove(member)).toBe(at >= 0);
          if (at >= 0) model.splice(at, 1);
        }
        expect([...line]).toEqual(model);
        expect(line.size).toBe(model.length);
        expect(line.oldest).toBe(model[0]);
        expect(line.newest).toBe(model.at(-1));
      }),
    );
  });

  test('can be walked while those that were visited leave', () => {
    const line = new Line<Member>();
    const members = Array.from({ length: 5 }, () => new Member());
    for (const member of members) line.push(member);
    const seen: Member[] = [];
    for (const member of line) {
      line.remove(member);
      seen.push(member);
    }
    expect(seen).toEqual(members);
    expect([line.size, line.oldest, line.newest]).toEqual([0, undefined, undefined]);
  });
});
