import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Why ONNX models cannot be run; empty when they can. */
    onnxMissing: string;
  }
}

const folder = join(import.meta.dirname, '../../onnx-runtime');
const modules = join(folder, 'node_modules');
const manifests = ['package.json', 'package-lock.json', '.npmrc'];

/** Once a clone: the packages are too large for everybody's installation, and real ones are needed to test with. */
export default async function setup(project: TestProject): Promise<void> {
  if (await isInstalled()) {
    project.provide('onnxMissing', '');
    return;
  }
  process.stderr.write('Installing the ONNX runtime for the tests (once, about 120 MB to load) ...\n');
  const failure = await install().catch((error: unknown) => String(error));
  project.provide('onnxMissing', failure);
}

async function isInstalled(): Promise<boolean> {
  const wanted = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8')).packages;
  const installed = await readFile(join(modules, '.package-lock.json'), 'utf8').then(JSON.parse, () => null);
  const names = ['node_modules/@huggingface/transformers', 'node_modules/onnxruntime-node'];
  return names.every((name) => installed?.packages[name]?.version === wanted[name].version);
}

/** Beside its place, and then moved there: two runs at once do not see each other's halves. Returns what went wrong. */
async function install(): Promise<string> {
  const scratch = await mkdtemp(join(folder, '.installing-'));
  try {
    for (const name of manifests) await cp(join(folder, name), join(scratch, name));
    const failure = await runNpm(['install', '--no-save', '--no-audit', '--no-fund', '--prefix', scratch]);
    if (failure) return failure;
    await rm(modules, { recursive: true, force: true });
    await rename(join(scratch, 'node_modules'), modules);
    return '';
  } catch (error) {
    if (await isInstalled()) return '';
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runNpm(args: readonly string[]): Promise<string> {
  const script = process.env.npm_execpath;
  const [command, first] = script ? [process.execPath, [script]] : ['npm', []];
  const child = spawn(command, [...first, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    shell: !script && process.platform === 'win32',
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [status] = await once(child, 'close');
  return status === 0
    ? ''
    : `npm install ended with status ${status}: ${said.replaceAll(/\s+/g, ' ').slice(0, 200)}`;
}
