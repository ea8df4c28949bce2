import { constants } from 'node:fs';
import { access, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { EmbeddedError } from './errors.ts';

export interface DataFolder extends AsyncDisposable {
  /** Where Postgres keeps its files. */
  postgres: string;
  /** Tells others through which socket this folder is served. */
  announce(socketPath: string): Promise<void>;
}

interface Owner {
  pid: number;
  socketPath?: string;
}

function accepts(socketPath: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

// A process that is still starting has announced no socket yet; one that died and whose id was given to another answers none.
async function isAlive({ pid, socketPath }: Owner): Promise<boolean> {
  if (!isRunning(pid)) return false;
  return socketPath ? accepts(socketPath) : true;
}

// Not `recursive` where the parent exists: Node retries for ever where a file system refuses with ENOENT (as /proc does).
async function makeFolder(path: string): Promise<void> {
  const parentExists = await stat(dirname(path)).then(
    () => true,
    () => false,
  );
  try {
    await mkdir(path, { recursive: !parentExists, mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * Takes the folder for this process; a second process that opened the same files would destroy them. Throws
 * `data_folder_in_use`, `data_folder_not_writable`.
 */
export async function takeDataFolder(folder: string): Promise<DataFolder> {
  const path = resolve(folder);
  const ownerFile = join(path, 'owner.json');
  try {
    await makeFolder(path);
    await access(path, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new EmbeddedError(
      'data_folder_not_writable',
      `cannot write to the data folder ${path} (${(cause as NodeJS.ErrnoException).code}): make it writable or set SLUICE_DATA_DIR to another folder`,
      { cause },
    );
  }
  for (let attempt = 0; ; attempt += 1) {
    try {
      await writeFile(ownerFile, JSON.stringify({ pid: process.pid }), { flag: 'wx', mode: 0o600 });
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 0) {
        throw new EmbeddedError(
          'data_folder_not_writable',
          `cannot take the data folder ${path}: ${(cause as Error).message}`,
          { cause },
        );
      }
    }
    const owner = await readFile(ownerFile, 'utf8')
      .then((text) => JSON.parse(text) as Owner)
      .catch(() => undefined);
    if (owner && (await isAlive(owner))) {
      throw new EmbeddedError(
        'data_folder_in_use',
        `the data folder ${path} is in use by process ${owner.pid}: stop that one, or set SLUICE_DATA_DIR to another folder`,
      );
    }
    await rm(ownerFile, { force: true });
  }
  return {
    postgres: join(path, 'postgres'),
    announce: (socketPath) =>
      writeFile(ownerFile, JSON.stringify({ pid: process.pid, socketPath }), { mode: 0o600 }),
    [Symbol.asyncDispose]: () => rm(ownerFile, { force: true }),
  };
}
