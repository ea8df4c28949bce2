import type { Locator, Page } from 'playwright-core';

export interface TextFile {
  name: string;
  text: string;
}

export const payloadOf = ({ name, text }: TextFile) => ({
  name,
  mimeType: 'text/plain',
  buffer: Buffer.from(text),
});

export async function choose(page: Page, ...files: TextFile[]): Promise<void> {
  await page.locator('#files').setInputFiles(files.map(payloadOf));
}

/** The row of an upload or of a file on its way. */
export const rowOf = (page: Page, name: string): Locator => page.locator('.row', { hasText: name });

/** Resolves when the upload is in that state. */
export const untilState = (page: Page, name: string, state: string): Promise<void> =>
  page.locator(`.row[data-state="${state}"]`, { hasText: name }).waitFor({ timeout: 20_000 });

/** Text of that many clauses; each becomes two chunks. */
export const longText = (clauses: number): string =>
  Array.from({ length: clauses }, (_, index) => {
    const sentence = `Bids stay valid for ${index} days. `;
    return `Clause ${index}. ${sentence.repeat(70)}`;
  }).join('\n\n');
