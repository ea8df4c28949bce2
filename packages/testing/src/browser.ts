import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readEnvironment } from './environment.ts';
import { TestingError } from './errors.ts';
import { findBrowser } from './find-browser.ts';
import { withFreePort } from './free-port.ts';
import { prepareFolder, startRootedService } from './rooted-service.ts';
import { createScratchFolder } from './scratch-folder.ts';
import { acceptsConnections } from './tcp-probe.ts';

const startTimeoutMs = 30_000;

/** A headless Chromium with a fresh profile, to be steered over the DevTools protocol. */
export interface RunningBrowser extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, as `connectOverCDP` of Playwright takes it. */
  readonly endpoint: string;
  /** A folder for files that pages are given: where a test writes them, and how the browser calls it. */
  readonly files: { readonly here: string; readonly there: string };
}

const flags = [
  '--headless=new',
  // Its sandbox needs namespaces that a root of its own does not have. It opens pages of the test only.
  '--no-sandbox',
  '--disable-gpu',
  '--hide-scrollbars',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--lang=en-US',
];

function commandLine(program: string, home: string, port: number): string[] {
  const own = [`--user-data-dir=${home}/profile`, `--remote-debugging-port=${port}`];
  // env, because its home is another one than ours.
  return ['/usr/bin/env', `HOME=${home}`, program, ...flags, ...own, 'about:blank'];
}

export async function startBrowser(): Promise<RunningBrowser> {
  const { place, why } = await findBrowser(readEnvironment());
  if (place === null)
    throw new TestingError('SERVICES_UNAVAILABLE', `no browser can be started here: ${why}`);
  const start = 'root' in place ? startInRoot : startOnHost;
  const at = 'root' in place ? place.root : place.executable;
  return withFreePort(undefined, (port) => start(at, port));
}

async function prepare(): Promise<{ folder: string; data: string; files: string }> {
  const folder = await createScratchFolder('browser');
  const data = await prepareFolder(folder);
  const files = join(data, 'files');
  await mkdir(files);
  return { folder, data, files };
}

async function startInRoot(root: string, port: number): Promise<RunningBrowser> {
  const { folder, files } = await prepare();
  const endpoint = `http://127.0.0.1:${port}`;
  const running = await startRootedService({
    name: 'Chromium',
    url: endpoint,
    port,
    root,
    user: 'browser',
    folder,
    argv: commandLine('/usr/lib/chromium/chromium', '/srv', port),
    stopSignal: 'SIGTERM',
    isReady: () => acceptsConnections(port),
  });
  return {
    endpoint,
    files: { here: files, there: '/srv/files' },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

async function startOnHost(executable: string, port: number): Promise<RunningBrowser> {
  const { folder, data, files } = await prepare();
  const [file = '', ...args] = commandLine(executable, data, port);
  const child = spawn(file, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const deadline = Date.now() + startTimeoutMs;
  while (!(await acceptsConnections(port))) {
    if (child.exitCode === null && Date.now() < deadline) {
      await sleep(15);
      continue;
    }
    end();
    throw new TestingError('SERVICE_DID_NOT_START', `${executable} does not answer at port ${port}`);
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    files: { here: files, there: files },
    async [Symbol.asyncDispose]() {
      process.off('exit', end);
      end();
      await exited;
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
