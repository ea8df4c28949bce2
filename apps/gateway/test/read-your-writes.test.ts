import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerBody, UploadBody } from '@sluice/contract';
import { describeWithServices } from '@sluice/testing';
import { runWorker } from '@sluice/worker';
import { expect, test } from 'vitest';
import { createClient, form } from './support/client.ts';
import { type ForkedGateway, forkGateway } from './support/forked-gateway.ts';
import { startServices } from './support/running-service.ts';

const writes = 1_000;
const lanes = 8;
const seed = Number(process.env.STRESS_SEED ?? Date.now() % 1_000_000_000);

/** A document of its own, and what every query from now on has to say of it. */
interface Lane {
  lane: number;
  id: string | undefined;
  version: number;
  note: number;
}

async function checked(answer: Response): Promise<Response> {
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return answer;
}

async function upload(url: string, lane: Lane): Promise<void> {
  const text = `Report of number${lane.lane}x, revision v${lane.version + 1}.`;
  const fields = {
    external_id: `lane-${lane.lane}`,
    metadata: JSON.stringify({ lane: lane.lane, note: lane.note }),
  };
  const answer = await checked(await createClient(url).post(form({ 'report.txt': text }, fields)));
  const { uploads } = (await answer.json()) as { uploads: UploadBody[] };
  for (;;) {
    const status = (await (
      await checked(await fetch(`${url}/v1/uploads/${uploads[0]?.id}`))
    ).json()) as UploadBody;
    if (status.state === 'ready') {
      lane.id = status.document_id;
      break;
    }
    if (status.state !== 'queued' && status.state !== 'processing') throw new Error(JSON.stringify(status));
    await sleep(5);
  }
  lane.version += 1;
}

async function annotate(url: string, lane: Lane): Promise<void> {
  const metadata = { lane: lane.lane, note: lane.note + 1 };
  await checked(
    await fetch(`${url}/v1/documents/${lane.id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ metadata }),
    }),
  );
  lane.note += 1;
}

async function remove(url: string, lane: Lane): Promise<void> {
  await checked(await fetch(`${url}/v1/documents/${lane.id}`, { method: 'DELETE' }));
  lane.id = undefined;
}

function expectCurrent({ results, answer }: AnswerBody, { lane, id, version, note }: Lane): void {
  const [hit] = results;
  const found = hit && [hit.text, hit.document.metadata.note];
  const expected = id && [`Report of number${lane}x, revision v${version}.`, note];
  // An answer that was made for the query needs no word of the database.
  if (JSON.stringify(found) === JSON.stringify(expected) && answer.confirmed) return;
  throw new Error(
    `STRESS_SEED=${seed}: ${JSON.stringify({ found, answer })}, expected ${JSON.stringify(expected)}`,
  );
}

describeWithServices(['postgres', 'redis'], 'two gateways', () => {
  test(`${writes} writes through either are found by the next query through the other (STRESS_SEED=${seed})`, {
    timeout: 300_000,
  }, async () => {
    await using services = await startServices('services');
    const environment = { ...services.environment, WORKER_CONCURRENCY: '8', SEARCH_CONFIRM_MS: '10000' };
    const worker = await runWorker(environment);
    await using stack = new AsyncDisposableStack();
    stack.defer(() => worker.stop());
    const gateways = [stack.use(await forkGateway(environment)), stack.use(await forkGateway(environment))];
    const clients = gateways.map(({ url }) => createClient(url));
    const random = randomFrom(seed);
    const sources: Record<string, number> = {};
    let left = writes;

    async function query(gateway: number, lane: Lane): Promise<void> {
      const body = { query: `number${lane.lane}x report`, k: 1, filter: { lane: lane.lane } };
      const answer = await (clients[gateway] as (typeof clients)[0]).query(body);
      sources[answer.answer.cached] = (sources[answer.answer.cached] ?? 0) + 1;
      expectCurrent(answer, lane);
    }
    async function write(gateway: number, lane: Lane): Promise<void> {
      const { url } = gateways[gateway] as ForkedGateway;
      const what = random();
      if (!lane.id || what < 0.25) await upload(url, lane);
      else if (what < 0.9) await annotate(url, lane);
      else await remove(url, lane);
    }
    await Promise.all(
      Array.from({ length: lanes }, async (_, i) => {
        const lane: Lane = { lane: i, id: undefined, version: 0, note: 0 };
        for (; left > 0; left -= 1) {
          const writer = random() < 0.5 ? 0 : 1;
          await write(writer, lane);
          await query(1 - writer, lane);
          // So that both have something in their caches that the next write makes old.
          await Promise.all([query(0, lane), query(1, lane)]);
        }
      }),
    );
    expect(sources.memory).toBeGreaterThan(writes / 10);
    expect(sources.redis).toBeGreaterThan(0);
  });
});

/** mulberry32 */
function randomFrom(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
