import { setTimeout as sleep } from 'node:timers/promises';

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what came back is what is being tested.
  body: any;
  /** Earlier tries of the same request that may have had their effect, although no answer came. */
  unanswered: number;
}

export interface Question {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  headers?: Record<string, string>;
  /** Made anew for each try. */
  body?: () => FormData | string;
}

export interface Client {
  /** Repeats the request until something answers that is neither 429 nor 5xx. Throws when `signal` is aborted. */
  ask(question: Question): Promise<Answer>;
  /** How often each status came; 0 for none. */
  readonly tally: ReadonlyMap<number, number>;
}

// Longer than anything takes while the gateway lives: who gives up earlier does not know what happens after.
const answerTimeoutMs = 90_000;
const pauseMs = 200;

export function createClient(url: string, signal: AbortSignal): Client {
  const tally = new Map<number, number>();
  const count = (status: number) => tally.set(status, (tally.get(status) ?? 0) + 1);

  async function tryOnce({
    method,
    path,
    headers = {},
    body,
  }: Question): Promise<Omit<Answer, 'unanswered'>> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]);
    const request = { method, headers, signal: limit, ...(body && { body: body() }) };
    const answer = await fetch(`${url}${path}`, request);
    const text = await answer.text();
    const json = answer.headers.get('content-type')?.includes('json');
    return { status: answer.status, body: json ? JSON.parse(text) : text };
  }

  return {
    tally,
    async ask(question) {
      for (let unanswered = 0; ; unanswered += 1) {
        const answer = await tryOnce(question).catch(() => undefined);
        signal.throwIfAborted();
        count(answer?.status ?? 0);
        if (answer && answer.status < 500 && answer.status !== 429) return { ...answer, unanswered };
        await sleep(pauseMs * (1 + Math.random()), undefined, { signal });
      }
    },
  };
}
