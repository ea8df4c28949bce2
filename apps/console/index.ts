/** Where `npm run build` puts the page. It may be missing until then; everything in assets/ has a hash in its name. */
export const consoleFolder = new URL('./dist/', import.meta.url);
