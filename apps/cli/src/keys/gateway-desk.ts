import type { Client } from '../client/client.ts';
import type { KeyDesk } from './key-desk.ts';

/** Through the admin API of a gateway, with a key that has the scope `admin`. */
export function createGatewayDesk({ request }: Client): KeyDesk {
  const at = (id: string) => `/v1/keys/${encodeURIComponent(id)}`;
  return {
    create: (key) => request('POST', '/v1/keys', key),
    list: async () => (await request<{ keys: Awaited<ReturnType<KeyDesk['list']>> }>('GET', '/v1/keys')).keys,
    revoke: (id) => request('DELETE', at(id)),
    rotate: (id, graceSeconds) => request('POST', `${at(id)}/rotate`, { grace_seconds: graceSeconds }),
    async [Symbol.asyncDispose]() {},
  };
}
