import type { ApiKeyBody, MadeApiKeyBody, NewApiKeyBody } from '@sluice/contract';

/** Where keys are made and ended: the database itself, or a gateway. */
export interface KeyDesk extends AsyncDisposable {
  create(key: NewApiKeyBody): Promise<MadeApiKeyBody>;
  list(): Promise<ApiKeyBody[]>;
  revoke(id: string): Promise<ApiKeyBody>;
  rotate(id: string, graceSeconds: number): Promise<MadeApiKeyBody>;
}
