import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { usageError } from '../errors.ts';

export interface SourceFile {
  /** As the user knows it; `-` is the standard input. */
  label: string;
  path: string;
  /** Name of the document. Below a folder: the path from there, with slashes. */
  name: string;
  bytes: number;
}

async function listFolder(folder: string): Promise<SourceFile[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const isHidden = (path: string) => path.split(sep).some((part) => part.startsWith('.'));
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !isHidden(relative(folder, path)))
    .sort();
  return Promise.all(
    paths.map(async (path) => ({
      label: path,
      path,
      name: relative(folder, path).split(sep).join('/'),
      bytes: (await stat(path)).size,
    })),
  );
}

/** Throws a usage error for what does not exist, and for a folder without `recursive`. Hidden files in folders are left out. */
export async function findFiles(paths: readonly string[], recursive: boolean): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  for (const path of paths) {
    const about = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw usageError(
        error.code === 'ENOENT' ? `there is no file ${path}` : `cannot read ${path}: ${error.message}`,
      );
    });
    if (!about.isDirectory()) {
      found.push({ label: path, path, name: basename(path), bytes: about.size });
      continue;
    }
    if (!recursive) throw usageError(`${path} is a folder`, 'Add --recursive to upload what is in it.');
    found.push(...(await listFolder(path)));
  }
  if (found.length === 0) throw usageError('there are no files in what was given');
  return found;
}

/** The standard input as a file: its size is not known before its end, and memory is not the place to keep it. */
export async function spoolInput(name: string): Promise<SourceFile & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-upload-'));
  const path = join(folder, 'input');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    await remove();
    throw error;
  }
  return { label: '-', path, name, bytes: (await stat(path)).size, [Symbol.asyncDispose]: remove };
}
