// Usage: node scripts/run.mjs FILE.ts [ARGUMENT...]
// Installs the dependencies where that is needed, then runs FILE on the Node that the project pins.
// This file itself has to run on whatever Node is there (16 and up): no newer syntax, no dependencies.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { constants as os, tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.sluice-install');
const windows = process.platform === 'win32';
const platform = `${process.platform}-${process.arch}`;
const pinnedNode = join(modules, 'node', 'bin', windows ? 'node.exe' : 'node');

// npm passes a Ctrl-C on that the terminal has sent to everybody already: within this time it is the same one.
const SAME_SIGNAL_MS = 300;

function say(message) {
  process.stderr.write(`${message}\n`);
}

function fail(...lines) {
  say(['', ...lines].join('\n'));
  process.exit(1);
}

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

/** Runs a command to its end, passes signals on to it, and resolves with { status, signal }. */
function run(command, args, options) {
  return new Promise((settle, reject) => {
    const child = spawn(command, args, { cwd: root, ...options });
    const lastSent = {};
    const listeners = {};
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      listeners[name] = () => {
        const now = Date.now();
        if (now - (lastSent[name] || 0) < SAME_SIGNAL_MS) return;
        lastSent[name] = now;
        child.kill(name);
      };
      process.on(name, listeners[name]);
    }
    // npm starts scripts through a shell that dies of a signal without passing it on: then its death is the signal.
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      listeners.SIGTERM();
    }, 250);
    const forget = () => {
      clearInterval(watch);
      for (const name of Object.keys(listeners)) process.off(name, listeners[name]);
    };
    child.on('error', (error) => {
      forget();
      reject(error);
    });
    child.on('exit', (status, signal) => {
      forget();
      settle({ status, signal });
    });
  });
}

/** Ends this process the way the child ended. */
function endLike({ status, signal }) {
  if (signal === null) process.exit(status);
  if (windows) process.exit(128 + (os.signals[signal] || 0));
  process.kill(process.pid, signal);
  // Not every signal ends a process of Node at once.
  setTimeout(() => process.exit(128 + (os.signals[signal] || 0)), 1000);
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

function wantedStamp(lock) {
  return `${platform} ${createHash('sha256').update(lock).digest('hex')}\n`;
}

/** True if npm itself has installed exactly what the lock file says, e.g. by a plain `npm install`. */
function sameAsInstalled(lock) {
  const hidden = readIfThere(join(modules, '.package-lock.json'));
  if (hidden === null) return false;
  const installed = JSON.parse(hidden).packages;
  return Object.entries(JSON.parse(lock).packages).every(([path, wanted]) => {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return true;
    const found = installed[path];
    if (!found) return Boolean(wanted.optional || wanted.devOptional || wanted.peer);
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function isInstalled(lock) {
  const stamp = readIfThere(stampFile);
  if (stamp !== null && !stamp.startsWith(`${platform} `)) {
    const from = stamp.split(' ')[0];
    fail(
      `The dependencies in ${modules} were installed on ${from}, this is ${platform}.`,
      'Remove that folder (rm -rf node_modules) and run the same command again.',
    );
  }
  if (stamp === wantedStamp(lock)) return true;
  if (!sameAsInstalled(lock) || !existsSync(pinnedNode)) return false;
  try {
    writeFileSync(stampFile, wantedStamp(lock));
  } catch {
    // A folder that cannot be written to can still be used; the check above is only slower than the stamp.
  }
  return true;
}

/** The command line of the npm that runs us, else of the one on the path. */
function npm() {
  const script = process.env.npm_execpath;
  if (script && /npm-cli\.c?js$/.test(script) && existsSync(script)) return [process.execPath, [script], {}];
  return windows ? ['npm.cmd', [], { shell: true }] : ['npm', [], {}];
}

function checkNpm() {
  const [command, args, options] = npm();
  const { stdout, error } = spawnSync(command, [...args, '--version'], { ...options, encoding: 'utf8' });
  if (error || !stdout) fail(`npm is needed to install the dependencies, but ${command} cannot be run.`);
  if (Number(stdout.split('.')[0]) < 8) fail(`npm 8 or newer is needed, this is npm ${stdout.trim()}.`);
}

async function install(lock) {
  try {
    accessSync(root, constants.W_OK);
    if (existsSync(modules)) accessSync(modules, constants.W_OK);
  } catch {
    fail(`The dependencies have to be installed, but there is no permission to write to ${root}.`);
  }
  checkNpm();
  say(
    `Installing the dependencies (${existsSync(modules) ? 'package-lock.json has changed' : 'first run'}) ...`,
  );
  const [command, args, options] = npm();
  // Not npm ci: that refuses a lock file without every optional package of every platform, and npm leaves out
  // of it those that the registry did not have for it when it was written. --no-save keeps the lock file as it is.
  // The pinned Node is a development dependency, so NODE_ENV=production must not leave those out.
  const flags = [
    'install',
    '--no-save',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const result = await run(command, [...args, ...flags], { ...options, stdio: ['ignore', 2, 2] });
  if (result.signal !== null) return endLike(result);
  if (result.status !== 0) {
    fail(
      `Installing the dependencies failed: npm ended with status ${result.status}; its own message is above.`,
      'Usual causes: no network or a proxy (try `npm ping`), a full disk, a package-lock.json that was edited by hand.',
    );
  }
  if (!existsSync(pinnedNode)) {
    fail(
      `npm has installed everything but the Node runtime itself (${pinnedNode}).`,
      'It comes by an install script, which the npm setting ignore-scripts forbids: `npm rebuild node --ignore-scripts=false`.',
    );
  }
  writeFileSync(stampFile, wantedStamp(lock));
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two first runs at once: one installs, the other waits. Outside of node_modules, because npm empties that. */
async function withInstallLock(action) {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const file = join(tmpdir(), `sluice-install-${name}.lock`);
  let told = false;
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = Number(readIfThere(file));
    if (owner && isAlive(owner)) {
      if (!told) say(`Process ${owner} is installing the dependencies; waiting for it ...`);
      told = true;
    } else {
      // Its owner died. Look twice, so that a lock is not removed that somebody has taken over just now.
      await sleep(100 + Math.random() * 200);
      if (readIfThere(file) === String(owner)) unlinkSync(file);
    }
    await sleep(200);
  }
  const release = () => readIfThere(file) === String(process.pid) && unlinkSync(file);
  process.on('exit', release);
  await action();
  process.off('exit', release);
  release();
}

async function main([script, ...args]) {
  if (Number(process.versions.node.split('.')[0]) < 16)
    fail(`Node 16 or newer is needed, this is ${process.version}.`);
  if (!script) fail('usage: node scripts/run.mjs FILE.ts [ARGUMENT...]');
  const readLock = () => readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (!isInstalled(readLock())) {
    await withInstallLock(async () => {
      if (!isInstalled(readLock())) await install(readLock());
    });
  }
  const env = { ...process.env, PATH: join(modules, '.bin') + delimiter + process.env.PATH };
  // In a terminal Ctrl-C goes to all processes of the group. One of its own for the child makes this process
  // the only one that tells it, once. Without a terminal it stays in the group, to be killed along with it.
  const detached = !windows && [0, 1, 2].some((fd) => isTerminal(fd));
  try {
    endLike(await run(pinnedNode, [join(root, script), ...args], { env, stdio: 'inherit', detached }));
  } catch (error) {
    fail(
      `The project's own Node (${pinnedNode}) cannot be run: ${error.message}`,
      'Is node_modules from another machine? Remove it (rm -rf node_modules) and run the same command again.',
    );
  }
}

function isTerminal(fd) {
  return Boolean([process.stdin, process.stdout, process.stderr][fd].isTTY);
}

await main(process.argv.slice(2));
