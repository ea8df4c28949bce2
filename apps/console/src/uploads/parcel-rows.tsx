import { strings } from '../strings/index.ts';
import { ParcelRow } from './parcel-row.tsx';
import type { Sender } from './sender.ts';

// A folder may have thousands.
const maxShown = 8;

/** What has not reached the server yet: what is being sent and what failed first. */
export function ParcelRows({ sender }: { sender: Sender }) {
  const parcels = sender.parcels.value;
  if (parcels.length === 0) return null;
  const words = strings.value.uploads;
  const rank = (parcel: (typeof parcels)[number]) => (parcel.error ? 0 : parcel.sent !== null ? 1 : 2);
  const shown = parcels.toSorted((a, b) => rank(a) - rank(b)).slice(0, maxShown);
  return (
    <section aria-labelledby="parcels-title">
      <div class="section-head">
        <h2 id="parcels-title">{words.sendingTitle(parcels.length)}</h2>
        {parcels.length > 1 && (
          <button type="button" class="small-button" onClick={() => sender.discardAll()}>
            {words.cancelAll}
          </button>
        )}
      </div>
      <ul class="rows">
        {shown.map((parcel) => (
          <ParcelRow key={parcel.key} parcel={parcel} sender={sender} />
        ))}
      </ul>
      {parcels.length > maxShown && <p class="small">{words.moreToSend(parcels.length - maxShown)}</p>}
    </section>
  );
}
