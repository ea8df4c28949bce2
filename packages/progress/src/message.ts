import { z } from 'zod';
import type { AttemptProgress } from './progress-channel.ts';

const progressSchema = z.object({
  uploadId: z.string(),
  fence: z.int().nonnegative(),
  stage: z.enum(['extracting', 'embedding', 'publishing']),
  chunksDone: z.int().nonnegative(),
  chunksTotal: z.int().nonnegative().nullable(),
});
const messageSchema = z.union([progressSchema, z.object({ changed: z.literal(true) })]);

export const changed = JSON.stringify({ changed: true });

/** Undefined for what is not a message of ours, or of an upload other than this one: a Redis may be shared. */
export function parseMessage(uploadId: string, text: string): AttemptProgress | 'changed' | undefined {
  try {
    const message = messageSchema.parse(JSON.parse(text));
    if ('changed' in message) return 'changed';
    return message.uploadId === uploadId ? message : undefined;
  } catch {
    return undefined;
  }
}
