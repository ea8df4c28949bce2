import { readFile } from 'node:fs/promises';
import { describeWithServices } from '@sluice/testing';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chromium, complaintsOf, startChromium } from './support/chromium.ts';
import { type Service, startService } from './support/service.ts';
import { uploadAll } from './support/upload-all.ts';

const corpus = new URL('../../../examples/corpus/', import.meta.url);
const question = 'How long does the guarantee run with a bid validity of ninety days?';

describeWithServices(['postgres', 'redis', 'browser'], 'search in the console', () => {
  let chromium: Chromium;
  let service: Service;

  beforeAll(async () => {
    [chromium, service] = await Promise.all([startChromium(), startService()]);
    const read = (name: string) => readFile(new URL(name, corpus));
    await uploadAll(service.url, [
      {
        name: 'bid-security.pdf',
        content: await read('bid-security.pdf'),
        metadata: { language: 'en', year: 2023 },
      },
      {
        name: 'chi-dinh-thau.txt',
        content: await read('chi-dinh-thau.txt'),
        metadata: { language: 'vi', year: 2024, court: { level: 2 } },
      },
    ]);
  });
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  async function ask(page: Page, query: string): Promise<void> {
    await page.getByRole('searchbox', { name: 'Search the documents' }).fill(query);
    const answered = page.waitForResponse(/\/v1\/query$/);
    await page.getByRole('button', { name: 'Search' }).click();
    await answered;
  }

  it('marks the words of a hit and gives its page and heading', async () => {
    const page = await chromium.open(`${service.url}/#/search`);
    await page.getByText('Meaning', { exact: true }).click();
    await ask(page, question);
    const hit = page.locator('.hit').first();
    await hit.waitFor();
    expect(await hit.locator('.where').innerText()).toMatch(/Page 2[\s\S]*Bid security[\s\S]*› Validity/);
    const marked = await hit.locator('mark').allInnerTexts();
    expect(marked.map((text) => text.toLowerCase())).toEqual(
      expect.arrayContaining(['bid validity', 'ninety days']),
    );
    expect(await hit.innerText()).toContain('language: en');
    expect(complaintsOf(page)).toEqual([]);
  });

  it('searches by words, too, and with the passages around', async () => {
    const page = await chromium.open(`${service.url}/#/search`);
    await page.getByText('Words', { exact: true }).click();
    await page.getByLabel('Passages before and after').check();
    await ask(page, 'goi thau');
    const hit = page.locator('.hit').first();
    await hit.waitFor();
    expect((await hit.locator('mark').allInnerTexts()).join(' ')).toMatch(/gói thầu/i);
    expect(await page.locator('.hit .neighbour').count()).toBeGreaterThan(0);
    await ask(page, 'nosuchwordanywhere');
    await page.getByText('Nothing found in this collection.').waitFor();
  });

  it('has an address that asks the same again', async () => {
    const page = await chromium.open(`${service.url}/#/search`);
    await page.getByText('Meaning', { exact: true }).click();
    await page.getByText('Filter by metadata').click();
    await page.getByLabel('Field 1').fill('language');
    await page.getByLabel('Value 1').fill('vi');
    await ask(page, 'gói thầu & "chỉ định"');
    await page.locator('.hit').first().waitFor();
    const again = await chromium.open(page.url());
    await again.locator('.hit').first().waitFor();
    expect(await again.getByRole('searchbox').inputValue()).toBe('gói thầu & "chỉ định"');
    expect(await again.locator('.hit h3').allInnerTexts()).toEqual(
      await page.locator('.hit h3').allInnerTexts(),
    );
  });

  it('filters by rows, and by the same filter as JSON', async () => {
    const page = await chromium.open(`${service.url}/#/search`);
    await page.getByText('Filter by metadata').click();
    await page.getByLabel('Field 1').fill('year');
    await page.getByLabel('Comparison 1').selectOption('gte');
    await page.getByLabel('Value 1').fill('2024');
    await page.getByRole('button', { name: 'Add a condition' }).click();
    await page.getByLabel('Field 2').fill('court.level');
    await page.getByLabel('Comparison 2').selectOption('in');
    await page.getByLabel('Value 2').fill('1, 2');
    await ask(page, question);
    await page.locator('.hit').first().waitFor();
    const names = await page.locator('.hit h3').allInnerTexts();
    expect(new Set(names).size).toBe(1);
    expect(await page.locator('.hit').first().innerText()).toContain('language: vi');

    await page.getByText('JSON', { exact: true }).click();
    const json = page.getByLabel('Filter as JSON');
    expect(JSON.parse(await json.inputValue())).toEqual({
      $and: [{ year: { $gte: 2024 } }, { court: { level: { $in: [1, 2] } } }],
    });
    await json.fill('{"year": 1999');
    await page.getByText('This is not JSON').waitFor();
    await json.fill('{"year": 1999}');
    await ask(page, question);
    await page.getByText('Nothing found that fits the filter.').waitFor();
    await json.fill('{"year": {"$near": 5}}');
    await ask(page, question);
    expect(await page.getByRole('alert').innerText()).toMatch(/\$near[\s\S]*invalid_request/);
  });
});
