import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { EmbeddingError } from '../embedding-error.ts';

/**
 * @returns undefined where the folder has no such file
 * @throws EmbeddingError `model_unavailable` when it cannot be read or is not what `schema` says
 */
export async function readModelFile<T>(
  folder: string,
  file: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const path = join(folder, file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(`${path} cannot be read: ${(error as Error).message}`, error);
  }
  const parsed = schema.safeParse(parseJson(path, text));
  if (parsed.success) return parsed.data;
  const { path: where = [], message } = parsed.error.issues[0] ?? {};
  throw unusable(`${path} is not understood: ${['', ...where].join('/')} ${message}`);
}

/** @throws EmbeddingError `model_unavailable` naming the first one that is missing */
export async function requireModelFiles(folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    await access(join(folder, file)).catch((error: unknown) => {
      throw unusable(`${folder} has no ${file}`, error);
    });
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unusable(`${path} is not JSON.`, error);
  }
}

function unusable(message: string, cause?: unknown): EmbeddingError {
  return new EmbeddingError('model_unavailable', message, { cause });
}
