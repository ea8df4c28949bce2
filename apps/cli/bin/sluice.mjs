#!/usr/bin/env node
// Runs src/main.ts: with this Node if it can run TypeScript, else with the one that the project pins.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const main = new URL('../src/main.ts', import.meta.url);

function pinnedNode() {
  try {
    return createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    process.stderr.write(`sluice: Node 24 or newer is needed, this is ${process.version}\n`);
    return process.exit(1);
  }
}

if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(main.href);
} else {
  // Whoever gets the signal of a terminal is the other Node; this one only waits for it.
  const { status, signal } = spawnSync(pinnedNode(), [fileURLToPath(main), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  if (signal) process.kill(process.pid, signal);
  else process.exit(status ?? 1);
}
