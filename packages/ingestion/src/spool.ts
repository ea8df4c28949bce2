import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Queryable } from '@sluice/pool';
import { readParts, type Upload } from '@sluice/store';

export interface SpooledFile extends AsyncDisposable {
  path: string;
}

/** Copies an upload's bytes into a temporary file, part by part: parsers need random access, and memory is scarcer than disk. */
export async function spoolUpload(
  db: Queryable,
  upload: Pick<Upload, 'id' | 'sizeBytes'>,
  signal: AbortSignal,
): Promise<SpooledFile> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-upload-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'bytes');
  try {
    await pipeline(Readable.from(readParts(db, upload)), createWriteStream(path, { mode: 0o600 }), {
      signal,
    });
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: remove };
}
