import { render } from 'preact';
import { createApi } from './api/client.ts';
import { createConnection } from './api/connection.ts';
import { createApiKey } from './api-key.ts';
import { App } from './app.tsx';
import { createCollectionChoice } from './collection-choice.ts';
import { createPreferences } from './preferences.ts';
import { createRoute } from './route.ts';
import { createSearchModel } from './search/search-model.ts';
import { createMonitor } from './system/monitor.ts';
import { createSender } from './uploads/sender.ts';
import { createUploadOptions } from './uploads/upload-options.ts';
import { createUploadStore } from './uploads/upload-store.ts';

const preferences = createPreferences();
const apiKey = createApiKey(sessionStorage);
const connection = createConnection();
const api = createApi({
  readKey: () => apiKey.value.value || null,
  onUnauthorized: () => {
    apiKey.wanted.value = true;
  },
  onUnreachable: connection.failed,
});
const choice = createCollectionChoice(api);
const store = createUploadStore(api, connection);
const sender = createSender(api, connection, store.add);

function readCollections(): void {
  // Whatever keeps the collections away keeps the uploads away too, and is shown there.
  choice.refresh().catch(() => {});
}

function reload(): void {
  readCollections();
  void store.refresh();
}

connection.onBack(readCollections);

const root = document.querySelector('#app');
if (root)
  render(
    <App
      api={api}
      apiKey={apiKey}
      choice={choice}
      connection={connection}
      monitor={createMonitor(api, connection)}
      options={createUploadOptions(choice)}
      preferences={preferences}
      search={createSearchModel(api, choice)}
      sender={sender}
      store={store}
      view={createRoute()}
      reload={reload}
    />,
    root,
  );
readCollections();
store.start();
