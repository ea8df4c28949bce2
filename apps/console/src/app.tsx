import type { ReadonlySignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Api } from './api/client.ts';
import type { Connection } from './api/connection.ts';
import type { ApiKey } from './api-key.ts';
import type { CollectionChoice } from './collection-choice.ts';
import type { Preferences } from './preferences.ts';
import { linkTo, type View } from './route.ts';
import type { SearchModel } from './search/search-model.ts';
import { SearchView } from './search/search-view.tsx';
import { ConnectionNote } from './shell/connection-note.tsx';
import { KeyWanted } from './shell/key-form.tsx';
import { Navigation } from './shell/navigation.tsx';
import { Settings } from './shell/settings.tsx';
import { strings } from './strings/index.ts';
import type { Monitor } from './system/monitor.ts';
import { SystemView } from './system/system-view.tsx';
import { DocumentsView } from './uploads/documents-view.tsx';
import { DropTarget } from './uploads/drop-target.tsx';
import type { PlacedFile } from './uploads/dropped-files.ts';
import type { Sender } from './uploads/sender.ts';
import type { UploadOptions } from './uploads/upload-options.ts';
import type { UploadStore } from './uploads/upload-store.ts';

export interface AppProps {
  api: Api;
  apiKey: ApiKey;
  choice: CollectionChoice;
  connection: Connection;
  monitor: Monitor;
  options: UploadOptions;
  preferences: Preferences;
  search: SearchModel;
  sender: Sender;
  store: UploadStore;
  view: ReadonlySignal<View>;
  /** Reads everything again, as after a change of key. */
  reload(): void;
}

export function App(props: AppProps) {
  const { api, apiKey, choice, connection, monitor, options, preferences, search, sender, store, view } =
    props;
  const words = strings.value.shell;
  const title = `${words[view.value]} · Sluice`;
  useEffect(() => {
    document.title = title;
  }, [title]);

  function add(files: readonly PlacedFile[]): void {
    const sources = options.apply(files);
    if (sources) sender.send(sources);
    location.hash = linkTo('documents');
  }

  return (
    <>
      <a class="skip" href="#content">
        {words.skip}
      </a>
      <header class="bar">
        <a class="brand" href={linkTo('documents')}>
          <img src="./icon.svg" alt="" width="28" height="28" /> Sluice
        </a>
        <Navigation view={view} />
        <Settings apiKey={apiKey} preferences={preferences} reload={props.reload} />
      </header>
      <main id="content" tabIndex={-1}>
        <ConnectionNote connection={connection} />
        <KeyWanted apiKey={apiKey} onSaved={props.reload} />
        {view.value === 'documents' && (
          <DocumentsView
            api={api}
            choice={choice}
            options={options}
            sender={sender}
            store={store}
            onFiles={add}
          />
        )}
        {view.value === 'search' && <SearchView choice={choice} model={search} store={store} />}
        {view.value === 'system' && <SystemView monitor={monitor} />}
        <p class="visually-hidden" role="status">
          {store.announcement.value}
        </p>
      </main>
      <DropTarget collection={choice.chosen.value} onFiles={add} />
    </>
  );
}
