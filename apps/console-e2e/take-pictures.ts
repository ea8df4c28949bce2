// Takes the pictures of the page for the README: `node apps/console-e2e/take-pictures.ts`. With the documents of examples/, a real gateway and
// worker, and traffic for a minute, so that the charts show something. It needs what the tests need.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runGateway } from '@sluice/gateway';
import { createPool } from '@sluice/pool';
import { migrate } from '@sluice/store';
import { startPostgres, startRedis } from '@sluice/testing';
import { runWorker } from '@sluice/worker';
import type { Page } from 'playwright-core';
import buildPage from './test/support/build-page.ts';
import { type Chromium, startChromium } from './test/support/chromium.ts';
import { choose } from './test/support/page.ts';

const root = new URL('../../', import.meta.url);
const images = new URL('docs/images/', root);
const collection = 'procurement';
const trafficMs = 70_000;
const callers = 4;
const questions = [
  'How long does the guarantee run with a bid validity of ninety days?',
  'When may a bidder be debarred?',
  'chỉ định thầu áp dụng khi nào',
  'How are bids evaluated?',
  'signs of bid rigging',
];

async function startService(stack: AsyncDisposableStack): Promise<string> {
  const postgres = stack.use(await startPostgres());
  const redis = stack.use(await startRedis());
  const pool = createPool({ connectionString: postgres.url, size: 1, maxOverflow: 0 });
  await migrate(pool);
  await pool.drain();
  const environment = {
    PORT: '0',
    LOG_LEVEL: 'silent',
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    DB_POOL_SIZE: '8',
    DB_MAX_OVERFLOW: '4',
    CACHE_TTL_SECONDS: '1',
  };
  const worker = await runWorker(environment);
  stack.defer(() => worker.stop());
  const gateway = await runGateway(environment);
  stack.defer(() => gateway.stop());
  while (!(await fetch(`${gateway.url}/readyz`)).ok) await sleep(100);
  return gateway.url;
}

/** As who tries out the examples does it. */
async function loadExamples(url: string): Promise<void> {
  const command = [fileURLToPath(new URL('examples/ask.ts', root)), '--url', url, '--collection', collection];
  const [code] = await once(spawn(process.execPath, command, { stdio: 'inherit' }), 'exit');
  if (code !== 0) throw new Error(`the examples could not be loaded: exit code ${code}`);
}

/** Many questions at a time, none of them twice alike, for so long. */
async function search(url: string, until: number): Promise<void> {
  for (let i = 0; Date.now() < until; i += 1) {
    const query = `${questions[i % questions.length]} ${Math.random().toString(36).slice(2)}`;
    await fetch(`${url}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, collection, mode: 'hybrid' }),
    }).then((answer) => answer.arrayBuffer());
    await sleep(20 + 60 * Math.random());
  }
}

async function upload(url: string, name: string, content: string): Promise<void> {
  const form = new FormData();
  form.append('collection', collection);
  form.append('file', new Blob([content]), name);
  await fetch(`${url}/v1/uploads`, { method: 'POST', body: form });
}

/** The texts of the examples as one document, so often that there is something to see of its progress. */
async function longText(times: number): Promise<string> {
  const folder = new URL('examples/corpus/', root);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.md'));
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, folder), 'utf8')));
  return Array.from({ length: times }, (_, i) => `Part ${i + 1}\n\n${texts.join(`\n\n${i + 1}. `)}`).join(
    '\n\n',
  );
}

async function save(page: Page, name: string): Promise<void> {
  const path = fileURLToPath(new URL(name, images));
  await page.screenshot({ path });
  process.stdout.write(`${path}: ${Math.round((await stat(path)).size / 1_000)} kB\n`);
}

async function pictureDocuments(chromium: Chromium, url: string): Promise<void> {
  const page = await chromium.open(url, { viewport: { width: 1280, height: 800 } });
  await page.getByLabel('Collection', { exact: true }).selectOption(collection);
  await choose(page, { name: 'scan-without-text.pdf', text: '%PDF-1.7 and then nothing of a PDF' });
  await page.locator('[data-state="failed"]').waitFor();
  await choose(page, { name: 'collected-guidance.txt', text: await longText(500) });
  await page
    .locator('[data-state="processing"]')
    .getByText(/[1-9]\d* .*chunks/)
    .waitFor();
  await save(page, 'console-light.png');
  await page.context().close();
}

async function pictureSearch(chromium: Chromium, url: string): Promise<void> {
  const page = await chromium.open(`${url}/#/search`, {
    viewport: { width: 390, height: 800 },
    isMobile: true,
    hasTouch: true,
  });
  await page.getByLabel('Collection', { exact: true }).selectOption(collection);
  await page.getByText('Meaning', { exact: true }).click();
  await page.getByRole('searchbox').fill(questions[0] ?? '');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.locator('mark').first().waitFor();
  await page.evaluate('document.activeElement.blur(); scrollTo(0, 150)');
  await save(page, 'console-phone.png');
  await page.context().close();
}

async function pictureSystem(chromium: Chromium, url: string): Promise<void> {
  const page = await chromium.open(`${url}/#/system`, {
    viewport: { width: 1280, height: 800 },
    colorScheme: 'dark',
  });
  const until = Date.now() + trafficMs;
  const searches = Array.from({ length: callers }, () => search(url, until));
  for (let part = 1; Date.now() < until - 3_000; part += 1) {
    await upload(url, `guidance-${part}.txt`, await longText(60));
    await sleep(2_500);
  }
  await save(page, 'console-dark.png');
  await Promise.all(searches);
}

await buildPage();
await using stack = new AsyncDisposableStack();
const url = await startService(stack);
const chromium = stack.use(await startChromium());
await loadExamples(url);
await pictureSearch(chromium, url);
await pictureDocuments(chromium, url);
await pictureSystem(chromium, url);
