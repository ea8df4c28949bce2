import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { CollectionChoice } from '../collection-choice.ts';
import type { PlacedFile } from './dropped-files.ts';
import { MetadataFault, parseMetadata } from './metadata-lines.ts';
import type { SourceFile } from './sender.ts';

/** What is said about the files that are added next. */
export interface UploadOptions {
  /** They are in sight. */
  open: Signal<boolean>;
  /** A file takes the place of the document of the same name. */
  replace: Signal<boolean>;
  /** Lines `key = value` */
  metadata: Signal<string>;
  /** The line of it that cannot be read */
  fault: ReadonlySignal<string | null>;
  /** Files with what belongs to them; null while the metadata cannot be read, which is put in sight then. */
  apply(files: readonly PlacedFile[]): SourceFile[] | null;
}

export function createUploadOptions(choice: CollectionChoice): UploadOptions {
  const open = signal(false);
  const replace = signal(false);
  const metadata = signal('');
  const parsed = computed(() => {
    try {
      return { fields: parseMetadata(metadata.value), fault: null };
    } catch (error) {
      return { fields: undefined, fault: error instanceof MetadataFault ? error.line : String(error) };
    }
  });

  return {
    open,
    replace,
    metadata,
    fault: computed(() => parsed.value.fault),
    apply(files) {
      const { fields: metadataFields, fault } = parsed.value;
      if (fault !== null) {
        open.value = true;
        return null;
      }
      return files.map(({ file, path }) => ({
        file,
        fields: {
          collection: choice.chosen.value,
          name: path,
          ...(replace.value && { externalId: path }),
          ...(metadataFields && { metadata: metadataFields }),
        },
      }));
    },
  };
}
