import { defineConfig } from 'vite';

// The page is served by the gateway; `npm run dev` passes the API on to one that runs on this address.
const gateway = 'http://localhost:3000';

export default defineConfig({
  base: './',
  build: {
    target: 'es2023',
    // The content security policy allows no data: addresses and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  server: {
    proxy: Object.fromEntries(['/v1', '/docs', '/admin', '/readyz'].map((path) => [path, gateway])),
  },
});
