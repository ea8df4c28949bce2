import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithServices, type RunningService } from '@sluice/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { patienceMs, until } from './support/eventually.ts';
import { useServer } from './support/own-server.ts';
import { proxyTo } from './support/through-proxy.ts';

class Survivor {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  output = '';
  errors = '';

  constructor(url: string) {
    this.#process = spawn(process.execPath, [join(import.meta.dirname, 'support/survivor.ts'), url]);
    this.#process.stdout?.on('data', (chunk) => {
      this.output += chunk;
    });
    this.#process.stderr?.on('data', (chunk) => {
      this.errors += chunk;
    });
    this.#exited = once(this.#process, 'close');
  }

  /** Waits until each kind of work has been done once more. */
  async works(): Promise<void> {
    await until(() => this.#alive() && this.output.startsWith('ready'));
    const answers = () =>
      this.output
        .split('\n')
        .filter((line) => line.startsWith('['))
        .map((line) => JSON.parse(line) as number[]);
    const before = answers().at(-1) ?? [];
    await until(
      () =>
        this.#alive() &&
        answers()
          .at(-1)
          ?.every((count, i) => count > (before[i] ?? 0)),
    );
  }

  async end(): Promise<unknown> {
    this.#process.stdin?.end();
    const late = setTimeout(() => this.#process.kill('SIGKILL'), patienceMs);
    const [code] = await this.#exited;
    clearTimeout(late);
    return code;
  }

  #alive(): boolean {
    if (this.#process.exitCode === null) return true;
    throw new Error(`it has ended with ${this.#process.exitCode}: ${this.errors}`);
  }
}

describeWithServices('processes', 'a process with a pool in it', () => {
  const server = useServer();
  let proxy: Awaited<ReturnType<typeof proxyTo>>;
  let survivor: Survivor;
  beforeEach(async () => {
    proxy = await proxyTo(server().url);
    survivor = new Survivor(proxy.url);
  });
  afterEach(async () => {
    await survivor.end();
    await proxy[Symbol.asyncDispose]();
  });

  const harm: Record<string, (server: RunningService) => Promise<unknown>> = {
    'restarts of the server': (target) => target.restart(),
    'a crash of the server': async (target) => {
      await target.kill();
      await sleep(300);
      await target.start();
    },
    'resets of all its connections': async () => {
      for (let i = 0; i < 20; i += 1) {
        proxy.reset();
        await sleep(15);
      }
    },
    'half-open connections': async () => proxy.halfOpen(),
    'a black hole': async () => {
      proxy.drop();
      await sleep(700);
      await proxy.heal();
    },
  };
  for (const [what, happen] of Object.entries(harm)) {
    test(`survives ${what}, works afterwards, and ends by itself`, async () => {
      await survivor.works();
      await happen(server());
      await survivor.works();
      expect(await survivor.end(), survivor.errors).toBe(0);
      expect(survivor.output).toMatch(/done\n$/);
      expect(survivor.errors).toBe('');
    });
  }
});
