import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtempDisposable, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeWithOnnx } from './support/describe-with-onnx.ts';
import { slowGraph, writeTinyModel } from './support/tiny-model.ts';

const here = join(import.meta.dirname, '..');
const modelsIn = (directory: string) => `import { createOnnxModels } from './src/onnx-models.ts';
const models = createOnnxModels({ directory: ${JSON.stringify(directory)}, threads: 1 });
const provider = models.provider({ model: 'tiny', dimensions: 3 });
const embed = () => provider.embed(['red'], { purpose: 'document' });`;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Runs a script as a process of its own, in a folder; returns the JSON that it writes. */
async function run(cwd: string, script: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
  });
  return JSON.parse(stdout);
}

/** A copy of this package in which nobody has installed the runtime. */
async function copyPackage(to: string): Promise<void> {
  for (const path of ['package.json', 'src', 'onnx-runtime/package.json', 'onnx-runtime/transformers.ts']) {
    await cp(join(here, path), join(to, path), { recursive: true });
  }
  await mkdir(join(to, 'node_modules'));
  const zod = dirname(fileURLToPath(import.meta.resolve('zod/package.json')));
  await symlink(zod, join(to, 'node_modules/zod'), 'junction');
}

describeWithOnnx('the ONNX runtime', () => {
  test('where it is not installed, the error says how to, and once that is done it works', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-onnx-'));
    await copyPackage(folder.path);
    await writeTinyModel(join(folder.path, 'models/tiny'));
    const installed = JSON.stringify(join(here, 'onnx-runtime/node_modules'));
    const answer = await run(
      folder.path,
      `import { symlink } from 'node:fs/promises';
      ${modelsIn('models')}
      const { code, message, retryable } = await embed().catch((error) => error);
      await symlink(${installed}, 'onnx-runtime/node_modules', 'junction');
      const [vector] = await embed();
      console.log(JSON.stringify({ code, message, retryable, length: vector.length }));`,
    );
    expect(answer).toEqual({
      code: 'model_unavailable',
      retryable: false,
      message: expect.stringMatching(/@huggingface\/transformers.*not installed.*npm install.*onnx-runtime$/),
      length: 3,
    });
  });

  test('a process ends by itself although its models were not closed', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-onnx-'));
    await writeTinyModel(join(folder.path, 'tiny'));
    expect(await run(here, `${modelsIn(folder.path)} console.log((await embed()).length);`)).toBe(1);
  });

  test.runIf(process.platform === 'linux')(
    'an exit in the middle of a run has its own status, and leaves no process behind',
    async () => {
      await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-onnx-'));
      await writeTinyModel(join(folder.path, 'tiny'), { graph: slowGraph(30) });
      const script = modelsIn(folder.path).replace("['red']", "Array(64).fill('red '.repeat(400))");
      const exit = (await run(
        here,
        `${script}
        import { readFileSync } from 'node:fs';
        // However fast the machine is, one run or the other is under way.
        (async () => { for (;;) await embed().catch(() => {}); })();
        setTimeout(() => {
          console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8'));
          process.exit(7);
        }, 2_000);`,
      ).catch((error: unknown) => error)) as { code?: number; stdout?: string };
      expect(exit.code).toBe(7);
      await expect.poll(() => isRunning(Number(exit.stdout)), { timeout: 15_000 }).toBe(false);
    },
  );

  test('nothing is asked of the network for what is not on disk', async () => {
    const answer = await run(
      here,
      `import { Socket } from 'node:net';
      const asked = [];
      globalThis.fetch = async (url) => { asked.push(String(url)); throw new Error('offline'); };
      Socket.prototype.connect = (target) => { asked.push(target); throw new Error('offline'); };
      const { loadTransformers } = await import('./src/onnx/load-transformers.ts');
      const { AutoModel, AutoTokenizer, AutoConfig } = await loadTransformers('/nowhere');
      const results = await Promise.allSettled(
        [AutoConfig, AutoTokenizer, AutoModel].map((each) => each.from_pretrained('org/model', {})),
      );
      console.log(JSON.stringify({ asked, results: results.map(({ status }) => status) }));`,
    );
    expect(answer).toEqual({ asked: [], results: ['rejected', 'rejected', 'rejected'] });
  });
});
