import { type RunningBrowser, startBrowser } from '@sluice/testing';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';

export interface Chromium extends AsyncDisposable {
  readonly files: RunningBrowser['files'];
  /** A tab in a context of its own: nothing is kept from one to the next. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>;
}

const complaints = new WeakMap<Page, string[]>();

/** Errors that the page has thrown, and what the browser refused to do for it, such as a style that its policy forbids. */
export function complaintsOf(page: Page): readonly string[] {
  return complaints.get(page) ?? [];
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
      // Without transitions: colours half-way from light to dark have too little contrast for a moment.
      const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce', ...options });
      // Below the time limit of a test, so that it is said what was waited for.
      context.setDefaultTimeout(20_000);
      const page = await context.newPage();
      const heard: string[] = [];
      complaints.set(page, heard);
      page.on('pageerror', (error) => heard.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') heard.push(message.text());
      });
      await page.goto(url);
      return page;
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
