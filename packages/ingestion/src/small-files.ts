import type { Queryable } from '@sluice/pool';
import { insertWholeUploads, type NewUpload, partBytes } from '@sluice/store';

/** Files that are small enough go to the database many at once: a request of 2 000 of them shall not take 4 000 statements. */
export interface SmallFiles {
  add(upload: NewUpload, bytes: Buffer): Promise<void>;
  /** Writes what has been added, in its order. */
  flush(): Promise<void>;
}

const most = 500;

/** Holds at most two parts of memory. `beforeWrite` gets the ids that are about to be in the database. */
export function createSmallFiles(db: Queryable, beforeWrite: (ids: string[]) => void): SmallFiles {
  let held: { upload: NewUpload; bytes: Buffer }[] = [];
  let heldBytes = 0;

  async function flush(): Promise<void> {
    const files = held;
    held = [];
    heldBytes = 0;
    if (files.length === 0) return;
    beforeWrite(files.map(({ upload }) => upload.id));
    await insertWholeUploads(db, files);
  }
  return {
    async add(upload, bytes) {
      held.push({ upload, bytes });
      // Metadata is held as well, and may be as large as a small file.
      heldBytes += bytes.length + JSON.stringify(upload.metadata).length;
      if (heldBytes >= partBytes || held.length >= most) await flush();
    },
    flush,
  };
}
