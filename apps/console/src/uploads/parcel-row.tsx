import { ErrorNote } from '../shell/error-note.tsx';
import { strings } from '../strings/index.ts';
import type { Parcel, Sender } from './sender.ts';

const words = strings.uploads;

export function ParcelRow({ parcel, sender }: { parcel: Parcel; sender: Sender }) {
  const { key, file, collection, sent, error } = parcel;
  const state = error ? 'failed' : 'sending';
  return (
    <li class="row" data-state={state}>
      <div class="row-head">
        <span class="name">{file.name}</span>
        <span class="badge">
          {error ? words.states.failed : sent === null ? words.waiting : words.sending(sent)}
        </span>
      </div>
      {sent !== null && <progress aria-label={words.progress(file.name)} value={sent} max={1} />}
      {error && <ErrorNote error={error} />}
      <div class="row-foot">
        <span class="small facts">
          <span>{collection}</span>
          <span>{words.size(file.size)}</span>
        </span>
        <span class="actions">
          {error && (
            <button type="button" onClick={() => sender.again(key)}>
              {words.again}
            </button>
          )}
          <button type="button" onClick={() => sender.discard(key)}>
            {error ? words.discard : words.cancel}
          </button>
        </span>
      </div>
    </li>
  );
}
