import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { createSlidingWindow } from '../src/sliding-window.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test('what was sent before the window takes no memory, also where nobody asks how long to wait', () => {
  const window = createSlidingWindow(1);
  const before = heapBytes();
  for (let i = 0; i < 500_000; i += 1) window.add(1, 100);
  // 500 000 entries kept would be 20 MB and more.
  expect(heapBytes() - before).toBeLessThan(4_000_000);
  const later = performance.now() + 5;
  while (performance.now() < later);
  expect(window.total()).toEqual({ requests: 0, tokens: 0 });
});
