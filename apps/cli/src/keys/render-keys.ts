import type { ApiKeyBody, MadeApiKeyBody } from '@sluice/contract';
import { harmless } from '../terminal.ts';

const day = (time: string | null) => time?.slice(0, 10) ?? '';

function rowOf(key: ApiKeyBody): string[] {
  return [
    key.id,
    harmless(key.name),
    key.scopes.join(','),
    key.collections?.join(',') ?? 'all',
    key.state,
    day(key.created_at),
    day(key.expires_at) || 'never',
    day(key.last_used_at) || 'never',
  ];
}

/** A table as wide as its longest cells. */
export function renderKeys(keys: readonly ApiKeyBody[]): string {
  if (keys.length === 0) return 'There are no keys. Make one: sluice keys create NAME --scope query';
  const head = ['id', 'name', 'scopes', 'collections', 'state', 'created', 'expires', 'last used'];
  const rows = [head, ...keys.map(rowOf)];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What goes beside the key itself. */
export function describeMade({ id, scopes, collections, expires_at: expires }: MadeApiKeyBody): string {
  const where = collections ? ` for ${collections.join(', ')}` : '';
  return `Key ${id}: ${scopes.join(', ')}${where}, expires ${day(expires) || 'never'}. It is shown this once; keep it safe.`;
}
