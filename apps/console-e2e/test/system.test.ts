import { describeWithServices } from '@sluice/testing';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chromium, complaintsOf, startChromium } from './support/chromium.ts';
import { makeKey } from './support/keys.ts';
import { choose, untilState } from './support/page.ts';
import { type Service, startService } from './support/service.ts';
import { uploadAll } from './support/upload-all.ts';

/** Reports are a few seconds old, and asked for every ten. */
const says = (place: Locator, words: RegExp) =>
  expect.poll(() => place.innerText(), { timeout: 20_000 }).toMatch(words);

const card = (page: Page, title: string) =>
  page.locator('section.card', { has: page.getByRole('heading', { name: title, exact: true }) });

describeWithServices(['postgres', 'redis', 'browser'], 'the system in the console', () => {
  let chromium: Chromium;
  let service: Service;

  beforeAll(async () => {
    [chromium, service] = await Promise.all([startChromium(), startService()]);
    await uploadAll(service.url, [
      { name: 'bids.txt', content: 'Bids stay valid for ninety days.' },
      { name: 'broken.pdf', content: '%PDF-1.7 and then nothing of a PDF' },
    ]);
  });
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  it('says what is healthy, what is in line, who runs and what to change', async () => {
    const page = await chromium.open(`${service.url}/#/system`);
    await card(page, 'Health').getByText('Ready').waitFor();
    await card(page, 'Health').getByText('database').waitFor();
    const uploads = card(page, 'Recommendations').locator('.recommendation', {
      hasText: 'Uploads have failed',
    });
    await says(uploads, /broken_document/);

    const tile = (name: string) => page.locator(`[data-tile="${name}"]`);
    await says(tile('needed'), /1 running/);
    await says(tile('depth'), /Uploads waiting\s+0/);
    await says(tile('pool'), /\d+ of \d+ connections/);

    const queues = card(page, 'Queues').getByRole('row', { name: /ingest-upload/ });
    await says(queues, /ingest-upload\s+0\s+0\s+0\s+1\s+1/);
    const fleet = card(page, 'Connections of the fleet');
    await says(fleet.getByRole('row', { name: /^Worker / }), /\d of \d+/);
    await fleet.getByRole('row', { name: /^Gateway / }).waitFor();
    const collection = card(page, 'Database').getByRole('row', { name: /^default/ });
    await says(collection, /default\s+1\s+1\s+[\d.]+ kB\s+none\s+100 %/);
    expect(complaintsOf(page)).toEqual([]);
  });

  it('draws what the lanes of the pool do, and goes on drawing', async () => {
    const page = await chromium.open(`${service.url}/#/system`);
    const lane = page.locator('[data-lane="interactive"]');
    await lane.getByText('Checked out').waitFor();
    expect(await lane.getByRole('img').first().getAttribute('aria-label')).toMatch(
      /^Connections of the lane Interactive over time: Checked out \d+, Waiting \d+$/,
    );
    // How many pixels of the chart of waits have its colour: more with each sample.
    const painted = () =>
      page.evaluate<number>(`(() => {
        const canvas = document.querySelectorAll('[data-lane="control"] canvas')[1];
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let i = 0; i < data.length; i += 4)
          if (data[i + 3] > 100 && data[i + 2] > data[i] + 60 && data[i] > data[i + 1]) count += 1;
        return count;
      })()`);
    await expect.poll(painted, { timeout: 15_000 }).toBeGreaterThan(0);
    const before = await painted();
    await expect.poll(painted, { timeout: 15_000 }).toBeGreaterThan(before);
  });
});

describeWithServices(['postgres', 'redis', 'browser'], 'a console behind keys', () => {
  const adminKey = 'the-key-of-the-administrator-0123456789';

  it('asks for a key, and with one that may not monitor shows what that may see', async () => {
    await using service = await startService({ SLUICE_API_KEYS: adminKey });
    // Ends before the service, which would wait for its event streams.
    await using chromium = await startChromium();
    const page = await chromium.open(`${service.url}/#/documents`);
    await page.getByText('The server wants an API key').waitFor();
    await page.getByLabel('API key', { exact: true }).fill('not-this-one-0123456789');
    await page.getByRole('button', { name: 'Use key' }).click();
    await page.getByText('The server wants an API key').waitFor();
    const key = await makeKey(service.databaseUrl, ['ingest', 'query']);
    await page.getByLabel('API key', { exact: true }).fill(key);
    await page.getByRole('button', { name: 'Use key' }).click();
    await choose(page, { name: 'allowed.txt', text: 'It may.' });
    await untilState(page, 'allowed.txt', 'ready');

    await page.getByRole('link', { name: 'System' }).click();
    await card(page, 'Health').getByText('Ready').waitFor();
    for (const title of ['Lanes of the pool', 'Queues', 'Recommendations'])
      await card(page, title).getByText('It needs the right to monitor').waitFor();
  });
});
