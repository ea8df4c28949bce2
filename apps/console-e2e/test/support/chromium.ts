import { type RunningBrowser, startBrowser } from '@sluice/testing';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';

export interface Chromium extends AsyncDisposable {
  readonly files: RunningBrowser['files'];
  /** A tab in a context of its own: nothing is kept from one to the next. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>;
}

export async function startChromium(): Promise<Chromium> {
  await using stack = new AsyncDisposableStack();
  const running = stack.use(await startBrowser());
  const browser = await chromium.connectOverCDP(running.endpoint);
  stack.defer(() => browser.close());
  const started = stack.move();
  return {
    files: running.files,
    async open(url, options = {}) {
      const context = await browser.newContext({ locale: 'en-GB', ...options });
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
