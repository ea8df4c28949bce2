import type { Api } from '../api/client.ts';
import type { CollectionChoice } from '../collection-choice.ts';
import { CollectionPicker } from '../shell/collection-picker.tsx';
import { ViewHead } from '../shell/view-head.tsx';
import { strings } from '../strings/index.ts';
import { Adder } from './adder.tsx';
import { CollectionCard } from './collection-card.tsx';
import type { PlacedFile } from './dropped-files.ts';
import { ParcelRows } from './parcel-rows.tsx';
import type { Sender } from './sender.ts';
import { isFinal } from './upload-list.ts';
import type { UploadOptions } from './upload-options.ts';
import { UploadRows } from './upload-rows.tsx';
import type { UploadStore } from './upload-store.ts';

export interface DocumentsViewProps {
  api: Api;
  choice: CollectionChoice;
  options: UploadOptions;
  sender: Sender;
  store: UploadStore;
  onFiles(files: readonly PlacedFile[]): void;
}

export function DocumentsView({ api, choice, options, sender, store, onFiles }: DocumentsViewProps) {
  const words = strings.value.uploads;
  const done = store.uploads.value?.filter(isFinal).length ?? 0;
  return (
    <>
      <ViewHead title={words.title} lead={words.lead}>
        <CollectionPicker choice={choice} />
      </ViewHead>
      <div class="columns">
        <div class="column">
          <Adder options={options} onFiles={onFiles} />
          <ParcelRows sender={sender} />
          <UploadRows store={store} />
        </div>
        <aside class="column">
          <CollectionCard api={api} name={choice.chosen.value} version={done} />
        </aside>
      </div>
    </>
  );
}
