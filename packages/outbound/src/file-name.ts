import { basename } from 'node:path/posix';
import { parse } from 'content-disposition';

const maxLength = 255;

/** Only the last part of a path, without characters that no name has. */
function clean(name: string): string | undefined {
  const last = basename(name.replaceAll('\\', '/'));
  const cleaned = last
    .replace(/[\p{Cc}\p{Cs}]/gu, '')
    .trim()
    .slice(0, maxLength);
  return cleaned && cleaned !== '.' && cleaned !== '..' ? cleaned : undefined;
}

function fromHeader(disposition: string | undefined): string | undefined {
  if (!disposition) return undefined;
  try {
    return parse(disposition).parameters.filename;
  } catch {
    return undefined;
  }
}

function fromPath({ pathname }: URL): string | undefined {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

/** What the server calls the file (Content-Disposition), else the last part of the URL's path. */
export function fileNameOf(url: URL, disposition: string | undefined): string | undefined {
  return clean(fromHeader(disposition) ?? '') ?? clean(fromPath(url) ?? '');
}
