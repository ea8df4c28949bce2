import { describeWithServices } from '@sluice/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findBarriers } from './support/accessibility.ts';
import { type Chromium, startChromium } from './support/chromium.ts';
import { type Service, startService } from './support/service.ts';

describeWithServices(['postgres', 'redis', 'browser'], 'documents in the console', () => {
  let chromium: Chromium;
  let service: Service;

  beforeAll(async () => {
    [chromium, service] = await Promise.all([startChromium(), startService()]);
  });
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  it('has no barriers that axe-core knows', async () => {
    const page = await chromium.open(service.url);
    await page.getByText('Nothing uploaded yet').waitFor();
    expect(await findBarriers(page)).toEqual([]);
  });

  it('takes a file and shows it when it is ready', async () => {
    const page = await chromium.open(service.url);
    const text = 'A bid security of two percent must accompany every tender.';
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles({ name: 'security.txt', mimeType: 'text/plain', buffer: Buffer.from(text) });
    await page.locator('[data-state=ready]', { hasText: 'security.txt' }).waitFor();
    expect(await page.title()).toBe('Sluice');
  });
});
