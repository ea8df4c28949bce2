/** Entry of the embedded Postgres' own process. Talks to its parent over IPC; ends when the parent ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { takeDataFolder } from './data-folder.ts';
import { EmbeddedError } from './errors.ts';
import { createWireServer } from './wire-server.ts';

export type ParentMessage = { type: 'stop' };
export type ChildMessage =
  | { type: 'ready'; socketFolder: string }
  | { type: 'failed'; code: EmbeddedError['code']; message: string };

const tell = (message: ChildMessage) => process.send?.(message);

async function openDatabase(folder: string): Promise<PGlite> {
  try {
    const db = await PGlite.create({ dataDir: folder, extensions: { vector } });
    await db.exec('create extension if not exists vector schema public');
    // Settings at startup are ignored by a shared session, so what clients would ask for is set here, once.
    await db.exec('set search_path to bullmq, public');
    return db;
  } catch (cause) {
    throw new EmbeddedError(
      'data_folder_damaged',
      `cannot open the embedded Postgres in ${folder}: ${(cause as Error).message}. Move the folder away to start anew.`,
      { cause },
    );
  }
}

async function serve(folder: string): Promise<void> {
  const data = await takeDataFolder(folder);
  try {
    const db = await openDatabase(data.postgres);
    // A socket in a folder of our own: no port to collide on, and no other user of the machine can connect.
    const socketFolder = await mkdtemp(join(tmpdir(), 'sluice-'));
    const socketPath = join(socketFolder, '.s.PGSQL.5432');
    const server = createWireServer(db);
    await new Promise<void>((done, fail) => {
      server.once('error', fail);
      server.listen(socketPath, done);
    });
    await data.announce(socketPath);
    tell({ type: 'ready', socketFolder });
    await new Promise<void>((stop) => {
      process.on('message', (message: ParentMessage) => message.type === 'stop' && stop());
      process.once('disconnect', stop);
    });
    server.close();
    await db.close();
    await rm(socketFolder, { recursive: true, force: true });
  } finally {
    await data[Symbol.asyncDispose]();
  }
}

// The parent decides when to stop: a Ctrl-C reaches the whole process group, but others still need the database then.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
try {
  await serve(process.argv[2] as string);
  process.exit(0);
} catch (error) {
  const { code, message } =
    error instanceof EmbeddedError ? error : { code: 'start_failed' as const, message: String(error) };
  tell({ type: 'failed', code, message });
  process.exitCode = 1;
  process.disconnect?.();
}
