import type { Api } from './api/client.ts';
import type { ApiKey } from './api-key.ts';
import type { CollectionChoice } from './collection-choice.ts';
import { SearchPanel } from './search/search-panel.tsx';
import { CollectionPicker } from './shell/collection-picker.tsx';
import { KeyForm } from './shell/key-form.tsx';
import { strings } from './strings/index.ts';
import type { Sender } from './uploads/sender.ts';
import type { UploadStore } from './uploads/upload-store.ts';
import { UploadsPanel } from './uploads/uploads-panel.tsx';

export interface AppProps {
  api: Api;
  apiKey: ApiKey;
  choice: CollectionChoice;
  sender: Sender;
  store: UploadStore;
  /** Reads everything again, as after a change of key. */
  reload(): void;
}

export function App({ api, apiKey, choice, sender, store, reload }: AppProps) {
  return (
    <>
      <header class="top">
        <h1>
          <img src="./icon.svg" alt="" width="28" height="28" /> Sluice
        </h1>
        <CollectionPicker choice={choice} />
        <nav aria-label={strings.header.links}>
          <a href="/docs">{strings.header.docs}</a>
          <a href="/admin/queues">{strings.header.queues}</a>
        </nav>
        <KeyForm apiKey={apiKey} onSaved={reload} />
      </header>
      <main>
        <UploadsPanel choice={choice} sender={sender} store={store} />
        <SearchPanel api={api} choice={choice} />
      </main>
    </>
  );
}
