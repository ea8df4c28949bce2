import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { strings } from '../strings/index.ts';

/** Takes files from the file dialog, and from a drop anywhere on the page. */
export function DropZone({ onFiles }: { onFiles(files: FileList): void }) {
  const over = useSignal(false);

  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const drag = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      over.value = true;
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) over.value = false;
    };
    const drop = (event: DragEvent) => {
      over.value = false;
      if (!hasFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer) onFiles(event.dataTransfer.files);
    };
    const controller = new AbortController();
    const { signal } = controller;
    document.addEventListener('dragover', drag, { signal });
    document.addEventListener('dragleave', leave, { signal });
    document.addEventListener('drop', drop, { signal });
    return () => controller.abort();
  }, [onFiles, over]);

  return (
    <label class="drop" data-over={over.value}>
      <input
        type="file"
        multiple
        class="visually-hidden"
        aria-describedby="formats"
        onChange={(event) => {
          const input = event.currentTarget;
          if (input.files) onFiles(input.files);
          // The same file can then be chosen again.
          input.value = '';
        }}
      />
      <span class="drop-title">{strings.uploads.drop}</span>
      <span id="formats" class="small">
        {strings.uploads.formats}
      </span>
    </label>
  );
}
