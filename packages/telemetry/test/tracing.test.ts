import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const telemetry = new URL('../src/index.ts', import.meta.url).href;

test('the SDK of OpenTelemetry is loaded when tracing starts, and not before', async () => {
  const code = `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier, context);
        loaded.push(found.url);
        return found;
      },
    });
    const count = () => loaded.filter((url) => /sdk-trace|otlp/.test(url)).length;
    const { createLogger, startTracing } = await import('${telemetry}');
    createLogger({ name: 'test', level: 'info', format: 'json' }).info('without a trace');
    const before = count();
    const about = { service: 'worker', version: '0', endpoint: 'http://127.0.0.1:1', headers: {}, ratio: 1 };
    const tracing = await startTracing(about);
    const after = count();
    await tracing[Symbol.asyncDispose]();
    console.log(JSON.stringify({ before, after }));`;
  const args = ['--input-type=module-typescript', '-e', code];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const [line = '', counts = ''] = stdout.trim().split('\n');
  expect(JSON.parse(line)).not.toHaveProperty('trace_id');
  expect(JSON.parse(counts).before).toBe(0);
  expect(JSON.parse(counts).after).toBeGreaterThan(5);
});
