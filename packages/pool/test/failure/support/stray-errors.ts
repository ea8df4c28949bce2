import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

/** Every test of the file fails when meanwhile something rejected or threw that nobody waits for. */
export function expectNoStrayErrors(): void {
  const stray: unknown[] = [];
  const note = (error: unknown) => stray.push(error);
  beforeAll(() => {
    process.on('unhandledRejection', note);
    process.on('uncaughtException', note);
  });
  afterEach(async () => {
    await turn();
    expect(stray.splice(0)).toEqual([]);
  });
  afterAll(() => {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
  });
}
