import { createHmac } from 'node:crypto';

const prefix = 'whsec_';

/** Headers of Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over id, time in seconds and body. `secret`: `whsec_` and base64. */
export function signWebhook(
  secret: string,
  { id, body }: { id: string; body: string },
  now = Date.now(),
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1_000));
  const key = Buffer.from(secret.slice(prefix.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
