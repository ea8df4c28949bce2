import { expect, test } from 'vitest';
import { createModel } from './support/model.ts';

const seed = Number(process.env.STRESS_SEED ?? Date.now() % 1_000_000_000);
const operations = Number(process.env.STRESS_OPERATIONS ?? 100_000);
const calmEvery = 5_000;

test(`${operations} random operations agree with a model (STRESS_SEED=${seed})`, {
  timeout: 600_000,
}, async () => {
  const model = createModel(seed);
  try {
    for (let i = 1; i <= operations; i += 1) {
      await model.step();
      if (i % calmEvery === 0) await model.calmDown();
    }
    // The drain comes in the middle of things.
    for (let i = 0; i < 200; i += 1) await model.step();
    await model.drain();
  } catch (error) {
    throw new Error(`STRESS_SEED=${seed}: ${(error as Error).message}`, { cause: error });
  }
  expect(model.figures.served).toBeGreaterThan(operations / 20);
});
