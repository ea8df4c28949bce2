import { OutboundError, type Poster } from '@sluice/outbound';
import type { Queryable } from '@sluice/pool';
import { claimDeliveries, recordDelivery, type WebhookDelivery } from '@sluice/store';
import { signWebhook } from './webhook-signature.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** Pauses between attempts: a receiver that restarts misses nothing, nor does one that is down for a night. */
const pausesMs = [
  5 * second,
  30 * second,
  2 * minute,
  10 * minute,
  30 * minute,
  hour,
  3 * hour,
  6 * hour,
  12 * hour,
];
// Receivers that ask for more than that are treated as those that ask for nothing.
const maxRetryAfterMs = 12 * hour;

export interface WebhookSenderOptions {
  db: Queryable;
  poster: Pick<Poster, 'post'>;
  /** `whsec_` and base64. */
  secret: string;
  /** Requests under way at once; one host gets half of them, so that a slow one does not delay the others. */
  concurrency: number;
  /** How often deliveries are looked for. */
  intervalMs: number;
  /** Longer than the poster takes for one request. */
  holdMs: number;
  pausesMs?: readonly number[];
  onAttempt: (delivery: WebhookDelivery, error: string | undefined) => void;
  onError: (error: unknown) => void;
}

/** 410 says that nobody listens there any more; it is the only status that ends a delivery at once. */
const gone = 410;

/** Each process sends what it can claim, so any number of them may run. A receiver may get a message twice, with the same id. */
export function startWebhookSender(options: WebhookSenderOptions): AsyncDisposable {
  const { db, poster, secret, concurrency, intervalMs, holdMs, onAttempt, onError } = options;
  const pauses = options.pausesMs ?? pausesMs;
  const perHost = Math.ceil(concurrency / 2);
  const underWay = new Map<Promise<void>, string>();
  const stopping = new AbortController();
  let claiming: Promise<void> | undefined;

  /** The pause with up to a fifth more or less, so that what failed together does not come back together. */
  function pauseAfter(attempts: number, askedMs: number | undefined): number | undefined {
    const pause = pauses[attempts - 1];
    if (pause === undefined) return undefined;
    const asked = askedMs !== undefined && askedMs <= maxRetryAfterMs ? askedMs : 0;
    return Math.max(pause * (0.8 + 0.4 * Math.random()), asked);
  }

  async function attempt(
    delivery: WebhookDelivery,
  ): Promise<{ error?: string; retryAfterMs?: number | undefined }> {
    const { url, body, attempts } = delivery;
    try {
      const answer = await poster.post(url, body, signWebhook(secret, delivery), stopping.signal);
      if (answer.status >= 200 && answer.status < 300) return {};
      const retryAfterMs = answer.status === gone ? undefined : pauseAfter(attempts, answer.retryAfterMs);
      return { error: `status ${answer.status}`, retryAfterMs };
    } catch (error) {
      // What is thrown when we stop says nothing of the receiver.
      if (stopping.signal.aborted || !(error instanceof OutboundError)) throw error;
      const { code, message } = error;
      return {
        error: `${code}: ${message}`,
        retryAfterMs: code === 'url_not_allowed' ? undefined : pauseAfter(attempts, 0),
      };
    }
  }

  async function send(delivery: WebhookDelivery): Promise<void> {
    const { error, retryAfterMs } = await attempt(delivery);
    await recordDelivery(
      db,
      delivery,
      error === undefined ? { delivered: true } : { delivered: false, error, retryAfterMs },
    );
    onAttempt(delivery, error);
  }

  function start(delivery: WebhookDelivery): void {
    const sending = send(delivery)
      .catch((error) => {
        if (!stopping.signal.aborted) onError(error);
      })
      .finally(() => {
        underWay.delete(sending);
        look();
      });
    underWay.set(sending, delivery.host);
  }

  function busyHosts(): string[] {
    const hosts = [...underWay.values()];
    return [...new Set(hosts)].filter((host) => hosts.filter((other) => other === host).length >= perHost);
  }

  async function claim(): Promise<void> {
    const limit = concurrency - underWay.size;
    if (limit <= 0) return;
    const claimed = await claimDeliveries(db, { limit, perHost, busyHosts: busyHosts(), holdMs });
    for (const delivery of claimed) start(delivery);
  }

  function look(): void {
    if (stopping.signal.aborted) return;
    claiming ??= claim()
      .catch(onError)
      .finally(() => {
        claiming = undefined;
      });
  }

  const timer = setInterval(look, intervalMs);
  look();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      // What is cut off here is due again after `holdMs`.
      stopping.abort(new Error('the sender stops'));
      await claiming;
      await Promise.allSettled(underWay.keys());
    },
  };
}
