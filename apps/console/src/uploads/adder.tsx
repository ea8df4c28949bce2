import { useRef } from 'preact/hooks';
import { Icon } from '../shell/icon.tsx';
import { strings } from '../strings/index.ts';
import { filesOfInput, type PlacedFile } from './dropped-files.ts';
import type { UploadOptions } from './upload-options.ts';

interface PickerProps {
  id: string;
  label: string;
  icon: 'documents' | 'folder';
  folder?: boolean;
  primary?: boolean;
  onFiles(files: readonly PlacedFile[]): void;
}

/** A button that opens the dialog of the system. */
function Picker({ id, label, icon, folder = false, primary = false, onFiles }: PickerProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={(element) => {
          input.current = element;
          if (element) element.webkitdirectory = folder;
        }}
        id={id}
        type="file"
        hidden
        multiple
        onChange={(event) => {
          const { files } = event.currentTarget;
          if (files) onFiles(filesOfInput(files));
          // The same file can then be chosen again.
          event.currentTarget.value = '';
        }}
      />
      <button type="button" class={primary ? 'primary' : ''} onClick={() => input.current?.click()}>
        <Icon name={icon} /> {label}
      </button>
    </>
  );
}

function Options({ options }: { options: UploadOptions }) {
  const words = strings.value.uploads;
  const fault = options.fault.value;
  return (
    <details
      class="options"
      open={options.open.value}
      onToggle={(event) => {
        options.open.value = event.currentTarget.open;
      }}
    >
      <summary>{words.options}</summary>
      <div class="options-body">
        <label class="check">
          <input
            type="checkbox"
            checked={options.replace.value}
            onChange={(event) => {
              options.replace.value = event.currentTarget.checked;
            }}
          />
          {words.replace}
        </label>
        <label for="metadata">{words.metadata}</label>
        <textarea
          id="metadata"
          rows={3}
          spellcheck={false}
          aria-invalid={fault !== null}
          aria-describedby="metadata-hint"
          value={options.metadata.value}
          onInput={(event) => {
            options.metadata.value = event.currentTarget.value;
          }}
        />
        <p id="metadata-hint" class="small">
          {words.metadataHint}
        </p>
        {fault !== null && (
          <p class="error" role="alert">
            {words.metadataWrong(fault)}
          </p>
        )}
      </div>
    </details>
  );
}

export interface AdderProps {
  options: UploadOptions;
  onFiles(files: readonly PlacedFile[]): void;
}

/** Where files come in. They can be dropped anywhere, too. */
export function Adder({ options, onFiles }: AdderProps) {
  const words = strings.value.uploads;
  return (
    <div class="adder">
      <div class="adder-body">
        <Icon name="upload" />
        <p class="adder-title">{words.drop}</p>
        <p class="small">{words.formats}</p>
        <p class="actions">
          <Picker id="files" label={words.chooseFiles} icon="documents" primary onFiles={onFiles} />
          <Picker id="folder" label={words.chooseFolder} icon="folder" folder onFiles={onFiles} />
        </p>
      </div>
      <Options options={options} />
    </div>
  );
}
