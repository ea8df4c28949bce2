import { useSignal, useSignalEffect } from '@preact/signals';
import type { Connection } from '../api/connection.ts';
import { strings } from '../strings/index.ts';
import { Icon } from './icon.tsx';

const backShownMs = 4_000;

/** Says that the connection is lost for as long as it is, and for a moment that it is back. */
export function ConnectionNote({ connection }: { connection: Connection }) {
  const shown = useSignal<'lost' | 'back' | null>(null);
  useSignalEffect(() => {
    if (connection.lost.value) {
      shown.value = 'lost';
      return;
    }
    if (shown.peek() !== 'lost') return;
    shown.value = 'back';
    const timer = setTimeout(() => {
      shown.value = null;
    }, backShownMs);
    return () => clearTimeout(timer);
  });

  const words = strings.value.shell;
  return (
    <div role="status" class="connection" data-state={shown.value ?? 'none'}>
      {shown.value && (
        <p>
          <Icon name={shown.value === 'lost' ? 'bad' : 'good'} /> {words[shown.value]}
        </p>
      )}
    </div>
  );
}
