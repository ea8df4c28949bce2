import { expect, test } from 'vitest';
import type { ExchangeRequest } from '../../src/budget/index.ts';
import { newLedger, settle } from '../../src/budget/ledger.ts';

const ttlMs = 1_000;

function createStore() {
  let at = 0;
  let turn = 0;
  let ledger = newLedger(at, { fresh: true });
  return {
    exchange(id: string, changes: Partial<ExchangeRequest> = {}) {
      turn += 1;
      const base = { id, weight: 1, floor: 2, cap: 100, held: 0, request: 5, ttlMs, limit: 20, turn };
      const settled = settle(ledger, { ...base, ...changes }, at);
      ledger = settled.ledger;
      return settled.answer;
    },
    pass(ms: number) {
      at += ms;
    },
  };
}

test('after a long silence everybody has a whole ttl to come back', () => {
  const store = createStore();
  store.exchange('a', { request: 10 });
  for (let n = 0; n < 8; n += 1) {
    store.pass(100);
    store.exchange('b');
  }
  store.pass(60_000);
  for (let n = 0; n < 9; n += 1) {
    expect(store.exchange('b', { held: 5, request: 20 }).granted).toBe(10);
    store.pass(100);
  }
  store.pass(100);
  store.exchange('b', { held: 10, request: 20 });
  store.pass(100);
  expect(store.exchange('b', { held: 10, request: 20 }).granted).toBe(20);
});

test('a clock of the store that jumps takes nobody for dead', () => {
  const store = createStore();
  store.exchange('a', { request: 10 });
  for (const jump of [3_600_000, -7_200_000, 3_600_000]) {
    store.pass(jump);
    expect(store.exchange('b', { request: 20 }).granted).toBe(10);
  }
});

test('a short silence counts for a quarter of a ttl at most', () => {
  const store = createStore();
  store.exchange('a', { request: 10 });
  for (let n = 0; n < 3; n += 1) {
    store.pass(450);
    expect(store.exchange('b', { request: 20 }).members).toHaveLength(2);
  }
});
