import { describeWithServices } from '@sluice/testing';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findBarriers } from './support/accessibility.ts';
import { type Chromium, complaintsOf, startChromium } from './support/chromium.ts';
import { rowOf, untilState } from './support/page.ts';
import { type Service, startService } from './support/service.ts';
import { uploadAll } from './support/upload-all.ts';

const views = ['documents', 'search', 'system'] as const;

describeWithServices(['postgres', 'redis', 'browser'], 'the look of the console', () => {
  let chromium: Chromium;
  let service: Service;

  beforeAll(async () => {
    [chromium, service] = await Promise.all([startChromium(), startService()]);
    await uploadAll(service.url, [
      {
        name: 'hieu-luc.txt',
        content: 'Hồ sơ dự thầu có hiệu lực chín mươi ngày.',
        metadata: { language: 'vi' },
      },
      { name: 'a-name-without-any-place-to-break-it-'.repeat(5), content: `A ${'long'.repeat(200)} word.` },
      { name: 'broken.pdf', content: '%PDF-1.7 and then nothing of a PDF' },
    ]);
  });
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  /** The page with as much on it as a view can have. */
  async function show(view: (typeof views)[number]): Promise<Page> {
    const page = await chromium.open(`${service.url}/#/${view}`);
    if (view === 'documents') {
      await untilState(page, 'broken.pdf', 'failed');
      await page.locator('.toggle').first().click();
      await page.locator('aside dl').waitFor();
    }
    if (view === 'search') {
      await page.locator('.options summary').click();
      await page.getByRole('searchbox').fill('hieu luc ho so');
      await page.keyboard.press('Enter');
      await page.locator('.hit').first().waitFor();
    }
    if (view === 'system') {
      await page.locator('canvas').first().waitFor();
      await page.locator('table').nth(2).waitFor();
    }
    return page;
  }

  it.each(views)(
    'has no barriers that axe-core knows in %s, light or dark, and no scrolling sideways',
    async (view) => {
      const page = await show(view);
      expect(await findBarriers(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await findBarriers(page)).toEqual([]);
      for (const width of [768, 360, 320]) {
        await page.setViewportSize({ width, height: 740 });
        const scrolled = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect(scrolled).toBeLessThanOrEqual(width);
      }
      expect(complaintsOf(page)).toEqual([]);
    },
  );

  it('is dark where the device is, or where that was chosen, which it remembers', async () => {
    const ground = 'getComputedStyle(document.body).backgroundColor';
    const page = await chromium.open(service.url, { colorScheme: 'dark' });
    const dark = await page.evaluate<string>(ground);
    await page.getByLabel('Appearance').selectOption('light');
    const light = await page.evaluate<string>(ground);
    expect(light).not.toBe(dark);
    await page.reload();
    await page.getByLabel('Appearance').waitFor();
    expect(await page.evaluate(ground)).toBe(light);
    await page.getByLabel('Appearance').selectOption('system');
    expect(await page.evaluate(ground)).toBe(dark);
  });

  it('speaks Vietnamese where the device does, or where that was chosen, which it remembers', async () => {
    const page = await chromium.open(service.url, { locale: 'vi-VN' });
    await page.getByRole('heading', { name: 'Tài liệu', level: 1 }).waitFor();
    expect(await page.evaluate('document.documentElement.lang')).toBe('vi');
    expect(await page.title()).toBe('Tài liệu · Sluice');
    await rowOf(page, 'broken.pdf').getByText('Thất bại').waitFor();
    await page.getByLabel('Ngôn ngữ').selectOption('en');
    await page.getByRole('heading', { name: 'Documents', level: 1 }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Documents', level: 1 }).waitFor();
    expect(await page.evaluate('document.documentElement.lang')).toBe('en');
  });

  it('can be used by keyboard alone', async () => {
    const page = await chromium.open(service.url);
    // Long before there is one: it takes a moment until the browser tells of it instead of opening it.
    const dialog = page.waitForEvent('filechooser');
    await untilState(page, 'broken.pdf', 'failed');
    const focused = () =>
      page.evaluate<string>(
        `(() => { const e = document.activeElement; return e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent; })()`,
      );
    async function tabTo(name: string): Promise<void> {
      for (let presses = 0; presses < 60; presses += 1) {
        await page.keyboard.press('Tab');
        if ((await focused()).trim() === name) return;
      }
      throw new Error(`no way to ${name} by Tab`);
    }

    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
    await tabTo('Choose files');
    await page.keyboard.press('Enter');
    await (await dialog).setFiles({
      name: 'typed.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('Typed, not clicked: keyboards suffice.'),
    });
    await untilState(page, 'typed.txt', 'ready');

    await page.reload();
    await untilState(page, 'typed.txt', 'ready');
    await tabTo('Search');
    await page.keyboard.press('Enter');
    await tabTo('Search the documents');
    await page.keyboard.type('keyboards suffice');
    await page.keyboard.press('Enter');
    await page.locator('mark', { hasText: 'keyboards suffice' }).waitFor();

    await page.reload();
    await tabTo('Documents');
    await page.keyboard.press('Enter');
    await untilState(page, 'typed.txt', 'ready');
    await tabTo('Delete typed.txt');
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('Delete document');
    await page.keyboard.press('Enter');
    await rowOf(page, 'typed.txt').waitFor({ state: 'detached' });
  });
});
