import { render } from 'preact';
import { createApi } from './api/client.ts';
import { createApiKey } from './api-key.ts';
import { App } from './app.tsx';
import { createCollectionChoice } from './collection-choice.ts';
import { createSender } from './uploads/sender.ts';
import { createUploadStore } from './uploads/upload-store.ts';

const apiKey = createApiKey(sessionStorage);
const api = createApi({
  readKey: () => apiKey.value.value || null,
  onUnauthorized: () => {
    apiKey.wanted.value = true;
  },
});
const choice = createCollectionChoice(api);
const store = createUploadStore(api);
const sender = createSender(api, store.add);

function readCollections(): void {
  // Whatever keeps the collections away keeps the uploads away too, and is shown there.
  choice.refresh().catch(() => {});
}

function reload(): void {
  readCollections();
  void store.refresh();
}

const root = document.querySelector('#app');
if (root)
  render(
    <App api={api} apiKey={apiKey} choice={choice} sender={sender} store={store} reload={reload} />,
    root,
  );
readCollections();
store.start();
