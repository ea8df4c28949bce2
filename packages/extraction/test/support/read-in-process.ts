import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ReadingResult, ReadingTask } from './reading-process.ts';

/** Reads documents with an extractor in a new process. */
export async function readInProcess(task: ReadingTask): Promise<ReadingResult> {
  const child = fork(fileURLToPath(new URL('reading-process.ts', import.meta.url)), {
    env: { PATH: process.env.PATH },
    execArgv: [],
  });
  const exited = once(child, 'exit');
  child.send(task);
  const [first] = await Promise.race([once(child, 'message'), exited]);
  await exited;
  if (typeof first !== 'object' || first === null) throw new Error(`the process ended with ${first}`);
  return first as ReadingResult;
}
