import { render } from 'preact';
import { createApi } from './api/client.ts';
import { createConnection } from './api/connection.ts';
import { createApiKey } from './api-key.ts';
import { App } from './app.tsx';
import { createCollectionChoice } from './collection-choice.ts';
import { createPreferences } from './preferences.ts';
import { createRoute } from './route.ts';
import { addressOf, readAddress } from './search/search-address.ts';
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

const view = createRoute();
const search = createSearchModel(api, choice, (question) => {
  if (view.value === 'search') history.replaceState(null, '', addressOf(question));
});

async function readCollections(): Promise<void> {
  // Whatever keeps the collections away keeps the uploads away too, and is shown there.
  await choice.refresh().catch(() => {});
}

function reload(): void {
  void readCollections();
  void store.refresh();
}

connection.onBack(() => void readCollections());

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
      search={search}
      sender={sender}
      store={store}
      view={view}
      reload={reload}
    />,
    root,
  );
const asked = readAddress(location.hash, search, choice);
// Which modes a collection has is known by then.
void readCollections().then(() => (asked ? search.search() : undefined));
store.start();
