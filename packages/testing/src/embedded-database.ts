import { cp, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@sluice/embedded';
import { createPool } from '@sluice/pool';
import { migrate } from '@sluice/store';
import { testServices } from './provided-services.ts';

export interface EmbeddedDatabase extends AsyncDisposable {
  readonly url: string;
  readonly dataDir: string;
}

/**
 * An embedded Postgres of the test's own, with Sluice's schema in it. Its files are copied from a template that is made once per run: that takes
 * five seconds of a processor, and starting on a copy takes one.
 */
export async function startEmbeddedDatabase(): Promise<EmbeddedDatabase> {
  const template = await provideTemplate();
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-embedded-'));
  try {
    await cp(template, dataDir, { recursive: true });
    const postgres = await startEmbeddedPostgres({ dataDir });
    return {
      url: postgres.url,
      dataDir,
      async [Symbol.asyncDispose]() {
        await postgres.stop();
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
}

export async function removeEmbeddedTemplate(runId: string): Promise<void> {
  await rm(templateOf(runId), { recursive: true, force: true });
}

function templateOf(runId: string): string {
  return join(tmpdir(), `sluice-embedded-template-${runId}`);
}

async function provideTemplate(): Promise<string> {
  const template = templateOf(testServices().runId);
  if (await stat(template).catch(() => undefined)) return template;
  const building = await mkdtemp(`${template}-`);
  {
    await using postgres = await startEmbeddedPostgres({ dataDir: building });
    await using pool = createPool({
      connectionString: postgres.url,
      size: 1,
      maxOverflow: 0,
      sharedSession: true,
    });
    await migrate(pool);
  }
  // Another test file may have been sooner.
  await rename(building, template).catch(() => rm(building, { recursive: true, force: true }));
  return template;
}
