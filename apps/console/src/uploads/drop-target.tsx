import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../shell/icon.tsx';
import { strings } from '../strings/index.ts';
import { filesOfDrop, type PlacedFile } from './dropped-files.ts';

export interface DropTargetProps {
  collection: string;
  onFiles(files: readonly PlacedFile[]): void;
}

const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

/** Takes what is dropped anywhere on the page: browsers would leave the page for it. */
export function DropTarget({ collection, onFiles }: DropTargetProps) {
  const over = useSignal(false);
  const take = useRef(onFiles);
  take.current = onFiles;

  useEffect(() => {
    const { signal, abort } = controllerOf();
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
      if (event.dataTransfer) void filesOfDrop(event.dataTransfer).then((files) => take.current(files));
    };
    document.addEventListener('dragover', drag, { signal });
    document.addEventListener('dragleave', leave, { signal });
    document.addEventListener('drop', drop, { signal });
    return abort;
  }, [over]);

  if (!over.value) return null;
  return (
    <div class="drop-target" aria-hidden="true">
      <p>
        <Icon name="upload" /> {strings.value.uploads.drop}
      </p>
      <p class="small">{collection}</p>
    </div>
  );
}

function controllerOf(): { signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
