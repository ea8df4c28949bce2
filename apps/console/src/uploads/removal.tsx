import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { ErrorNote } from '../shell/error-note.tsx';
import { useAction } from '../shell/use-action.ts';
import { strings } from '../strings/index.ts';

interface ConfirmationProps {
  onRemove(): Promise<void>;
  onKeep(): void;
}

function Confirmation({ onRemove, onKeep }: ConfirmationProps) {
  const removal = useAction();
  const first = useRef<HTMLButtonElement>(null);
  // Before the next key press, which would be lost: the button that asked is gone.
  useLayoutEffect(() => first.current?.focus(), []);

  return (
    <>
      {removal.error.value && <ErrorNote error={removal.error.value} />}
      <button
        ref={first}
        type="button"
        class="small-button danger"
        disabled={removal.busy.value}
        onClick={() => void removal.run(onRemove)}
      >
        {strings.value.uploads.removeSure}
      </button>
      <button type="button" class="small-button" onClick={onKeep}>
        {strings.value.uploads.keep}
      </button>
    </>
  );
}

/** Asks once more, in place, because the document goes with its upload. */
export function Removal({ name, onRemove }: { name: string; onRemove(): Promise<void> }) {
  const asked = useSignal(false);
  const ask = (value: boolean) => {
    asked.value = value;
  };

  if (asked.value) return <Confirmation onRemove={onRemove} onKeep={() => ask(false)} />;
  return (
    <button
      type="button"
      class="small-button"
      aria-label={strings.value.uploads.removeOf(name)}
      onClick={() => ask(true)}
    >
      {strings.value.uploads.remove}
    </button>
  );
}
