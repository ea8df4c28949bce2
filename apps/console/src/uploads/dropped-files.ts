/** A file and where it lies below what was dropped or chosen, with slashes. */
export interface PlacedFile {
  file: File;
  path: string;
}

// Files that systems put into folders for themselves, and what a folder hides.
const isHidden = (name: string) => name.startsWith('.') || name === 'Thumbs.db' || name === 'desktop.ini';

function readFile(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** All entries of a folder: browsers give at most a hundred at a time. */
async function readFolder(entry: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = entry.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all.sort((a, b) => a.name.localeCompare(b.name));
    all.push(...some);
  }
}

async function walk(entry: FileSystemEntry, above: string): Promise<PlacedFile[]> {
  const path = above + entry.name;
  if (entry.isFile) return [{ file: await readFile(entry as FileSystemFileEntry), path }];
  const found: PlacedFile[] = [];
  for (const inside of await readFolder(entry as FileSystemDirectoryEntry))
    if (!isHidden(inside.name)) found.push(...(await walk(inside, `${path}/`)));
  return found;
}

/** The files of a drop, with those in dropped folders. To be called while the event is handled: later there are no items any more. */
export async function filesOfDrop(transfer: DataTransfer): Promise<PlacedFile[]> {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry());
  const plain = Array.from(transfer.files, (file) => ({ file, path: file.name }));
  if (entries.every((entry) => entry === null)) return plain;
  const found = await Promise.all(entries.map((entry) => (entry ? walk(entry, '') : [])));
  return found.flat();
}

/** The files that were chosen in a dialog, of files or of a folder. */
export function filesOfInput(list: FileList): PlacedFile[] {
  return Array.from(list, (file) => ({ file, path: file.webkitRelativePath || file.name })).filter(
    ({ path }) => !path.split('/').some(isHidden) || !path.includes('/'),
  );
}
