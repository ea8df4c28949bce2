import { existsSync } from 'node:fs';
import { request } from 'node:http';

const TIMEOUT_MS = 2000;

/** Why no Docker engine can be used, or null if one answers. A client without an engine does not count. */
export async function whyNoDocker(): Promise<string | null> {
  const address = new URL(process.env.DOCKER_HOST || 'unix:///var/run/docker.sock');
  if (address.protocol === 'unix:') {
    if (!existsSync(address.pathname)) return `${address.pathname} does not exist`;
    return ping({ socketPath: address.pathname });
  }
  if (address.protocol === 'tcp:') return ping({ host: address.hostname, port: address.port || '2375' });
  return `cannot ask ${address.href}`;
}

function ping(target: { socketPath: string } | { host: string; port: string }): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = request({ ...target, path: '/_ping', timeout: TIMEOUT_MS }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200 ? null : `/_ping answered ${answer.statusCode}`);
    });
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    asked.once('error', (error) => resolve(error.message));
    asked.end();
  });
}
