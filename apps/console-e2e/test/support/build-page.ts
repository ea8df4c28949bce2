import { fileURLToPath } from 'node:url';
import { consoleFolder } from '@sluice/console';
import { build } from 'vite';

/** Builds the page as it is now to where the gateway serves it from. */
export default async function setup(): Promise<void> {
  await build({ root: fileURLToPath(new URL('../', consoleFolder)), logLevel: 'error' });
}
