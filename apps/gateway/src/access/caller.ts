import type { KeyLimits, Scope } from '@sluice/store';
import { HttpProblem } from '../http-problem.ts';

/** Who sent a request, and what it may do. */
export interface Caller {
  /** Of its key; undefined where no key was asked for. */
  keyId: string | undefined;
  /** Whether its key is one of the table, and not of the environment. */
  managed: boolean;
  /** As people know it. */
  name: string;
  /** With what `admin` implies. */
  scopes: ReadonlySet<Scope>;
  /** Names of those it may use; undefined: all. */
  collections: readonly string[] | undefined;
  limits: KeyLimits;
  /** Whether it may go on with what it has begun. */
  isValid(): boolean;
}

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by `authenticate`, before any route that is not public. */
    caller: Caller;
  }
}

export const allScopes: readonly Scope[] = ['ingest', 'query', 'monitor', 'admin'];

export function withImplied(scopes: readonly Scope[]): ReadonlySet<Scope> {
  return new Set(scopes.includes('admin') ? allScopes : scopes);
}

/** For things that are found by an id: to a caller who may not use their collection they are not there. */
export function mayUse({ collections }: Pick<Caller, 'collections'>, collection: string): boolean {
  return collections?.includes(collection) ?? true;
}

/** For a collection that the request names. Says the same whether it exists or not. */
export function requireMayUse(caller: Pick<Caller, 'collections'>, collection: string): void {
  if (mayUse(caller, collection)) return;
  const detail = `this API key is not for the collection "${collection}", only for ${caller.collections?.join(', ')}`;
  throw new HttpProblem('forbidden_collection', detail, { collection, collections: caller.collections });
}
