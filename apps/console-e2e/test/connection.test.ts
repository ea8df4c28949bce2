import type { UploadBody } from '@sluice/contract';
import { describeWithServices, type FaultProxy, startFaultProxy } from '@sluice/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Chromium, startChromium } from './support/chromium.ts';
import { choose, longText, rowOf, untilState } from './support/page.ts';
import { type Service, startService } from './support/service.ts';
import { type SlowProvider, startSlowProvider } from './support/slow-provider.ts';

describeWithServices(['postgres', 'redis', 'browser'], 'a console that loses its connection', () => {
  let chromium: Chromium;
  let provider: SlowProvider;
  let service: Service;
  let network: FaultProxy;

  beforeAll(async () => {
    provider = await startSlowProvider(300);
    [chromium, service] = await Promise.all([startChromium(), startService(provider.environment)]);
    network = await startFaultProxy({ port: Number(new URL(service.url).port) });
  });
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]();
    await network[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });
  beforeEach(() => network.heal());

  function cut(): void {
    network.refuse();
    network.reset();
  }

  async function uploadsNamed(name: string): Promise<UploadBody[]> {
    const response = await fetch(`${service.url}/v1/uploads`);
    const { uploads } = (await response.json()) as { uploads: UploadBody[] };
    return uploads.filter((upload) => upload.name === name);
  }

  it('says so, keeps what it watches in sight, and goes on by itself when it is back', async () => {
    const page = await chromium.open(network.through(service.url));
    await choose(page, { name: 'watched.txt', text: longText(250) });
    await untilState(page, 'watched.txt', 'processing');
    cut();
    await page.getByText('The connection is lost').waitFor();
    expect(await rowOf(page, 'watched.txt').getAttribute('data-state')).toBe('processing');
    const streamed = page.waitForResponse(/\/events$/);
    await network.heal();
    await page.getByText('The connection is back').waitFor();
    await streamed;
    await untilState(page, 'watched.txt', 'ready');
    await expect.poll(() => page.getByText('The connection is back').count(), { timeout: 10_000 }).toBe(0);
  });

  it('sends files that are added meanwhile when it is back', async () => {
    const page = await chromium.open(network.through(service.url));
    await page.getByText('Uploads', { exact: true }).waitFor();
    cut();
    await choose(page, { name: 'first.txt', text: 'One.' }, { name: 'second.txt', text: 'Two.' });
    await page.getByText('The connection is lost').waitFor();
    await rowOf(page, 'first.txt').getByText('Waits for the connection').waitFor();
    await network.heal();
    await untilState(page, 'first.txt', 'ready');
    await untilState(page, 'second.txt', 'ready');
  });

  it('sends a file whose answer got lost again, and the service takes it once', async () => {
    const page = await chromium.open(network.through(service.url));
    await page.getByText('Uploads', { exact: true }).waitFor();
    network.cutAt('the last words of it', 'answer');
    await choose(page, { name: 'once.txt', text: 'Some text, and these are the last words of it' });
    await untilState(page, 'once.txt', 'ready');
    expect(await uploadsNamed('once.txt')).toHaveLength(1);
    expect(await rowOf(page, 'once.txt').count()).toBe(1);
  });
});
