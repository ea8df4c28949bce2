import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Reads until this process is gone, however it went, because the kernel closes the pipe. The servers below are
// killed at the same moment and may still write, hence the repetition.
const REMOVE_WHEN_ALONE =
  'cat >/dev/null; for i in 1 2 3 4 5 6 7 8 9 10; do rm -rf "$1" && exit; sleep 0.3; done';

let folder: Promise<string> | undefined;

/** A new folder that disappears with this process, even when the process is killed with SIGKILL. */
export async function createScratchFolder(name: string): Promise<string> {
  folder ??= createGuardedFolder();
  return mkdtemp(join(await folder, `${name}-`));
}

async function createGuardedFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  const guard = spawn('sh', ['-c', REMOVE_WHEN_ALONE, 'sh', path], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  (guard.stdin as unknown as Socket).unref();
  return path;
}
