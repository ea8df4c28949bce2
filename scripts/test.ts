// Runs every suite of the workspace; arguments go to vitest (file filters, --project, -t, --coverage ...).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closingLines, summarise } from '@sluice/testing/report';
import { parseCLI, startVitest } from 'vitest/node';

// For the processes that tests start by the hundred: each loads the same modules.
const compileCache = mkdtempSync(join(tmpdir(), 'sluice-compile-cache-'));
process.env.NODE_COMPILE_CACHE ??= compileCache;

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
const vitest = await startVitest('test', filter, { ...options, run: true, watch: false });
const summary = summarise(vitest.state.getTestModules(), vitest.state.getUnhandledErrors().length);
await vitest.close();
rmSync(compileCache, { recursive: true, force: true });

const incomplete = process.exitCode !== undefined && Number(process.exitCode) !== 0;
const failed = incomplete ? Math.max(1, summary.failed) : summary.failed;
process.stdout.write(`\n${closingLines({ ...summary, failed }).join('\n')}\n`);
// Only set where vitest has not: a test that leaves a handle open must not turn a failure into a hang.
process.exit(failed > 0 ? Number(process.exitCode) || 1 : 0);
