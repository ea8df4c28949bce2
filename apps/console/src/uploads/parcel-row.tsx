import { ErrorNote } from '../shell/error-note.tsx';
import { strings } from '../strings/index.ts';
import type { Parcel, Sender } from './sender.ts';

function stateOf({ error, held, sent }: Parcel): string {
  const words = strings.value.uploads;
  if (error) return words.states.failed;
  if (held) return held === 'busy' ? words.busy : words.held;
  return sent === null ? words.waiting : words.sending(sent);
}

export function ParcelRow({ parcel, sender }: { parcel: Parcel; sender: Sender }) {
  const { key, file, fields, sent, error } = parcel;
  const words = strings.value.uploads;
  return (
    <li class="row" data-state={error ? 'failed' : 'sending'}>
      <div class="row-head">
        <span class="name">{fields.name}</span>
        <span class="badge">{stateOf(parcel)}</span>
      </div>
      {sent !== null && <progress aria-label={words.progress(fields.name)} value={sent} max={1} />}
      {error && <ErrorNote error={error} />}
      <div class="row-foot">
        <span class="small facts">
          <span>{fields.collection}</span>
          <span>{strings.value.format.size(file.size)}</span>
        </span>
        <span class="actions">
          {error && (
            <button type="button" class="small-button" onClick={() => sender.again(key)}>
              {words.again}
            </button>
          )}
          <button type="button" class="small-button" onClick={() => sender.discard(key)}>
            {error ? words.discard : words.cancel}
          </button>
        </span>
      </div>
    </li>
  );
}
