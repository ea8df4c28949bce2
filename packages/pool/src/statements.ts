import { createHash } from 'node:crypto';
import { sqlState } from './errors.ts';

/** Shared by all connections of a pool: whether statements are named at all. */
export interface NamingPolicy {
  capacity: number;
  /** Called when naming has failed on what is in between, not on the server. */
  gaveUp(error: unknown): void;
}

const givesUpAfter = 3;

export function createNamingPolicy(capacity: number, onOff: (error: unknown) => void): NamingPolicy {
  let failures = 0;
  const policy: NamingPolicy = {
    capacity,
    gaveUp(error) {
      failures += 1;
      if (failures !== givesUpAfter) return;
      policy.capacity = 0;
      onOff(error);
    },
  };
  return policy;
}

/** Why a named statement could not run; nothing has been executed then. */
export type StaleReason = 'plan' | 'lost' | 'duplicate';

/**
 * - `plan`: its tables have changed, so that it would return something else than it was prepared for (0A000);
 * - `lost`: the server does not have it, e.g. after DISCARD ALL or behind a pooler (26000);
 * - `duplicate`: the server already has one of this name (42P05).
 */
export function staleReason(error: unknown): StaleReason | undefined {
  switch (sqlState(error)) {
    case '0A000':
      return isStalePlan(error as Error & { routine?: string }) ? 'plan' : undefined;
    case '26000':
      return 'lost';
    case '42P05':
      return 'duplicate';
    default:
      return undefined;
  }
}

/** By the name of the server's function, since its messages come in the language of `lc_messages`. */
function isStalePlan({ routine, message }: Error & { routine?: string }): boolean {
  return routine === 'RevalidateCachedQuery' || /cached plan must not change result type/.test(message);
}

/** The named statements of one connection, the least recently used first. */
export class Statements {
  readonly #policy: NamingPolicy;
  readonly #names = new Map<string, string>();
  #toClose: string[] = [];

  constructor(policy: NamingPolicy) {
    this.#policy = policy;
  }

  get size(): number {
    return this.#names.size;
  }

  /** The name to use for this text, undefined when it has to run unnamed. May put another one on the list to close. */
  nameFor(text: string): string | undefined {
    if (this.#policy.capacity === 0) return undefined;
    const known = this.#names.get(text);
    if (known) {
      this.#names.delete(text);
      this.#names.set(text, known);
      return known;
    }
    for (const [oldest, name] of this.#names) {
      if (this.#names.size < this.#policy.capacity) break;
      this.#names.delete(oldest);
      this.#toClose.push(name);
    }
    const name = `sluice_${createHash('sha1').update(text).digest('base64url').slice(0, 20)}`;
    this.#names.set(text, name);
    return name;
  }

  /** Names that the server has to forget, to be sent in front of the next statement. */
  takeToClose(): string[] {
    if (this.#toClose.length === 0) return this.#toClose;
    const names = this.#toClose;
    this.#toClose = [];
    return names;
  }

  /** Makes the next use of this text prepare it anew. */
  heal(text: string, name: string, reason: StaleReason): void {
    if (reason === 'lost') this.forgetAll();
    this.#names.delete(text);
    this.#toClose.push(name);
  }

  /** The session has been wiped: the server knows none of them any more. */
  forgetAll(): void {
    this.#names.clear();
    this.#toClose = [];
  }

  /** Even anew it did not work: whatever is in between does not keep statements. */
  gaveUp(error: unknown): void {
    this.#policy.gaveUp(error);
  }
}
