import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chromium, complaintsOf, startChromium } from './support/chromium.ts';
import { choose, longText, rowOf, untilState } from './support/page.ts';
import { type Service, startService } from './support/service.ts';
import { type SlowProvider, startSlowProvider } from './support/slow-provider.ts';

describeWithServices(['postgres', 'redis', 'browser'], 'documents in the console', () => {
  let chromium: Chromium;
  let provider: SlowProvider;
  let service: Service;

  beforeAll(async () => {
    provider = await startSlowProvider(250);
    [chromium, service] = await Promise.all([startChromium(), startService(provider.environment)]);
  });
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });

  it('shows the stage and the progress of a file live until it is ready', async () => {
    const page = await chromium.open(service.url);
    const streamed = page.waitForRequest(/\/v1\/uploads\/[^/]+\/events$/);
    await choose(page, { name: 'long.txt', text: longText(250) });
    const row = rowOf(page, 'long.txt');
    await row.getByText(/Embedding, [1-9]\d* of \d+ chunks/).waitFor();
    const share = Number(await row.locator('progress').getAttribute('value'));
    expect(share).toBeGreaterThan(0);
    await streamed;
    await untilState(page, 'long.txt', 'ready');
    expect(await row.innerText()).toMatch(/Ready[\s\S]*default[\s\S]*\d+ chunks[\s\S]*in [\d.]+ s/);
    await page.getByText('long.txt: Ready').waitFor({ state: 'attached' });
    expect(complaintsOf(page)).toEqual([]);
  });

  it('says why a file failed, and takes it out of line on demand', async () => {
    const page = await chromium.open(service.url);
    await choose(page, { name: 'broken.pdf', text: '%PDF-1.7 and then nothing of a PDF' });
    await untilState(page, 'broken.pdf', 'failed');
    const row = rowOf(page, 'broken.pdf');
    expect(await row.locator('.error').innerText()).toMatch(/could not be read[\s\S]*broken_document/);
    await row.getByRole('button', { name: 'Details of broken.pdf' }).click();
    const retried = page.waitForResponse((response) => response.url().endsWith('/retry'));
    await row.getByRole('button', { name: 'Try again: broken.pdf' }).click();
    expect((await retried).status()).toBe(202);
    await untilState(page, 'broken.pdf', 'failed');
    const job = row.getByRole('link', { name: /job in the queue/ });
    const address = (await job.getAttribute('href')) ?? '';
    expect(address).toMatch(/^\/admin\/queues\/queue\/ingest-upload\/[0-9a-f-]{36}$/);
    const board = await chromium.open(new URL(address, service.url).href);
    await board.getByText(address.slice(-36)).first().waitFor();

    await row.getByRole('button', { name: 'Delete broken.pdf' }).click();
    await row.getByRole('button', { name: 'Delete document' }).click();
    await row.waitFor({ state: 'detached' });
  });

  it('cancels a file that is being worked on', async () => {
    const page = await chromium.open(service.url);
    await choose(page, { name: 'unwanted.txt', text: longText(250) });
    await untilState(page, 'unwanted.txt', 'processing');
    await rowOf(page, 'unwanted.txt').getByRole('button', { name: 'Cancel unwanted.txt' }).click();
    await untilState(page, 'unwanted.txt', 'cancelled');
  });

  it('takes a folder that is dropped, with the path of each file, and one that is chosen', async () => {
    const { here, there } = chromium.files;
    await mkdir(join(here, 'tenders', 'annex'), { recursive: true });
    await writeFile(join(here, 'tenders', 'notice.txt'), 'A notice of a tender.');
    await writeFile(join(here, 'tenders', 'annex', 'prices.txt'), 'Prices of the annex.');
    await writeFile(join(here, 'tenders', '.hidden'), 'Not for the service.');

    const page = await chromium.open(service.url);
    const tab = await page.context().newCDPSession(page);
    const data = { items: [], files: [`${there}/tenders`], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await tab.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await untilState(page, 'tenders/annex/prices.txt', 'ready');
    await untilState(page, 'tenders/notice.txt', 'ready');
    expect(await rowOf(page, '.hidden').count()).toBe(0);

    await page.getByText('Options for what you add').click();
    await page.getByLabel('A file replaces the document of the same name').check();
    await page.getByLabel('Metadata').pressSequentially('year');
    await choose(page, { name: 'too-soon.txt', text: 'Not yet.' });
    await page.getByText('“year” is not of the form').waitFor();
    expect(await rowOf(page, 'too-soon.txt').count()).toBe(0);
    await page.getByLabel('Metadata').fill('year = 2024');
    const { result } = await tab.send('Runtime.evaluate', {
      expression: "document.querySelector('#folder')",
    });
    await tab.send('DOM.setFileInputFiles', {
      files: [`${there}/tenders`],
      objectId: result.objectId ?? '',
    });
    await expect.poll(() => rowOf(page, 'tenders/notice.txt').count()).toBe(2);
    const newest = rowOf(page, 'tenders/notice.txt').first();
    await newest.getByRole('button', { name: /Details/ }).click();
    expect(await newest.locator('dl').innerText()).toMatch(/tenders\/notice\.txt[\s\S]*\{"year":2024\}/);
    expect(complaintsOf(page)).toEqual([]);
  });

  it('makes a collection, and says what is in it and how well it is searched', async () => {
    const page = await chromium.open(service.url);
    await page.getByRole('button', { name: 'New' }).click();
    await page.getByLabel('Name of the new collection').fill('contracts');
    await page.getByRole('button', { name: 'Create' }).click();
    const card = page.locator('aside');
    await card.getByText('contracts').waitFor();
    await choose(page, { name: 'contract.txt', text: 'The contract ends after three years.' });
    await untilState(page, 'contract.txt', 'ready');
    await expect.poll(() => card.innerText(), { timeout: 15_000 }).toMatch(/Documents\s+1\s+Chunks\s+1/);
    expect(await card.innerText()).toMatch(/Recall\s+100 %, search is exact/);
  });
});

describeWithServices(['postgres', 'redis', 'browser'], 'a console without a worker', () => {
  it('says why an upload waits', async () => {
    await using service = await startService({}, { worker: false });
    // Ends before the service, which would wait for its event streams.
    await using chromium = await startChromium();
    const page = await chromium.open(service.url);
    await choose(page, { name: 'patient.txt', text: 'It waits.' });
    await page.locator('.waiting[data-reason]').waitFor();
    expect(await page.locator('.waiting').innerText()).toMatch(/worker/i);
  });
});
