import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Environment, untilReady } from './running-service.ts';

export interface ForkedGateway extends AsyncDisposable {
  url: string;
  child: ChildProcess;
}

/** A gateway in a process of its own, ready to serve. */
export async function forkGateway(environment: Environment): Promise<ForkedGateway> {
  const child = fork(fileURLToPath(new URL('gateway-process.ts', import.meta.url)), {
    env: { PATH: process.env.PATH, ...environment },
  });
  const [{ url }] = await once(child, 'message');
  await untilReady(url);
  return {
    url,
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
