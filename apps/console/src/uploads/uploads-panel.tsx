import { useSignal } from '@preact/signals';
import { useCallback } from 'preact/hooks';
import type { CollectionChoice } from '../collection-choice.ts';
import { ErrorNote } from '../shell/error-note.tsx';
import { strings } from '../strings/index.ts';
import { DropZone } from './drop-zone.tsx';
import { ParcelRow } from './parcel-row.tsx';
import type { Sender } from './sender.ts';
import { UploadRow } from './upload-row.tsx';
import type { UploadStore } from './upload-store.ts';

// On a phone the search comes below the list.
const shownAtFirst = 6;

export interface UploadsPanelProps {
  choice: CollectionChoice;
  sender: Sender;
  store: UploadStore;
}

export function UploadsPanel({ choice, sender, store }: UploadsPanelProps) {
  const onFiles = useCallback((files: FileList) => sender.send(files, choice.chosen.value), [sender, choice]);
  const all = useSignal(false);
  const parcels = sender.parcels.value;
  const uploads = store.uploads.value;
  const shown = all.value ? uploads : uploads?.slice(0, shownAtFirst);
  const empty = parcels.length === 0 && !uploads?.length;

  return (
    <section aria-labelledby="uploads-title">
      <h2 id="uploads-title">{strings.uploads.title}</h2>
      <DropZone onFiles={onFiles} />
      <h3>{strings.uploads.recent}</h3>
      {store.error.value && <ErrorNote error={store.error.value} />}
      {empty && !store.error.value && (
        <p class="small">{uploads === null ? strings.uploads.loading : strings.uploads.none}</p>
      )}
      <ul class="rows">
        {parcels.map((parcel) => (
          <ParcelRow key={`parcel ${parcel.key}`} parcel={parcel} sender={sender} />
        ))}
        {shown?.map((upload) => (
          <UploadRow key={upload.id} upload={upload} onRemove={() => store.remove(upload.id)} />
        ))}
      </ul>
      {uploads && uploads.length > shownAtFirst && (
        <button
          type="button"
          class="quiet"
          aria-expanded={all.value}
          onClick={() => {
            all.value = !all.value;
          }}
        >
          {all.value ? strings.uploads.less : strings.uploads.more(uploads.length)}
        </button>
      )}
      <p class="visually-hidden" aria-live="polite">
        {store.announcement.value}
      </p>
    </section>
  );
}
