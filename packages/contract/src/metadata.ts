import { z } from 'zod';
import { isDeeperThan } from './json-depth.ts';

const maxMetadataBytes = 65_536;
const maxDepth = 16;

/** What stands in the way of storing this object as metadata, if anything. */
function metadataFault(value: Record<string, unknown>): string | undefined {
  if (isDeeperThan(value, maxDepth)) return `metadata is nested deeper than ${maxDepth} levels`;
  const json = JSON.stringify(value);
  const bytes = Buffer.byteLength(json);
  if (bytes > maxMetadataBytes)
    return `metadata has ${bytes} bytes as JSON, at most ${maxMetadataBytes} are allowed`;
  if (/\\u0000/.test(json)) return 'metadata contains a NUL character, which Postgres cannot store';
  if (/\\ud[89a-f][0-9a-f]{2}/i.test(json))
    return 'metadata contains half of a surrogate pair, which is not valid Unicode';
  return undefined;
}

/** A JSON object, at most 64 KiB. */
export const metadataSchema = z
  .record(z.string(), z.unknown(), { error: 'expected a JSON object' })
  .superRefine((value, context) => {
    const fault = metadataFault(value);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  })
  .meta({
    id: 'Metadata',
    description: 'Any JSON object up to 64 KiB',
    example: { year: 2025, tags: ['law'] },
  });
