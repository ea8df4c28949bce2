import { describe, expect, test } from 'vitest';
import { LeakDetector } from '../../src/leak-detector.ts';

function collect(detector: LeakDetector<string>, now: number) {
  const leaks: { key: string; heldMs: number; stack: string }[] = [];
  detector.check(now, (key, heldMs, stack) => leaks.push({ key, heldMs, stack }));
  return leaks;
}

describe('the leak detector', () => {
  test('reports once what is held for too long, with the stack of who took it', () => {
    const detector = new LeakDetector<string>(1_000);
    (function borrowAndForget() {
      detector.taken('a', 100, detector.here());
    })();
    expect(collect(detector, 1_099)).toEqual([]);
    const [leak] = collect(detector, 1_100);
    expect(leak).toMatchObject({ key: 'a', heldMs: 1_000 });
    expect(leak?.stack.split('\n')[0]).toMatch(/^\s+at borrowAndForget .*leak-detector\.test\.ts/);
    expect(collect(detector, 9_999)).toEqual([]);
  });

  test('forgets what was given back', () => {
    const detector = new LeakDetector<string>(1_000);
    detector.taken('a', 0, detector.here());
    detector.taken('b', 0, detector.here());
    detector.returned('a');
    expect(collect(detector, 5_000).map(({ key }) => key)).toEqual(['b']);
  });

  test('counts anew from the next borrowing, also after a report', () => {
    const detector = new LeakDetector<string>(1_000);
    detector.taken('a', 0, detector.here());
    expect(collect(detector, 1_000)).toHaveLength(1);
    detector.returned('a');
    detector.taken('a', 2_000, detector.here());
    expect(collect(detector, 2_999)).toEqual([]);
    expect(collect(detector, 3_000)).toMatchObject([{ key: 'a', heldMs: 1_000 }]);
  });

  test('is off at 0', () => {
    const detector = new LeakDetector<string>(0);
    detector.taken('a', 0, detector.here());
    expect(collect(detector, 1e9)).toEqual([]);
  });

  test('may be told of returns while it reports', () => {
    const detector = new LeakDetector<string>(10);
    for (const key of ['a', 'b', 'c']) detector.taken(key, 0, detector.here());
    const seen: string[] = [];
    detector.check(100, (key) => {
      seen.push(key);
      detector.returned('b');
    });
    expect(seen).toEqual(['a', 'c']);
  });
});
