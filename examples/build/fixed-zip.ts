import { strFromU8, strToU8, unzipSync, type Zippable, zipSync } from 'fflate';

export const buildDate = new Date('2026-01-15T00:00:00Z');

// Zip keeps local time. From the parts of a UTC date, so that the time zone of the machine leaves no trace.
const zipDate = new Date(2026, 0, 15);

export function fixedZip(entries: Zippable): Buffer {
  return Buffer.from(zipSync(entries, { mtime: zipDate, level: 9 }));
}

/**
 * Rewrites an Office file so that two runs give the same bytes: entry times, and the dates in docProps/core.xml.
 * Empty folders are left out, and so are content types of parts that aren't there (PptxGenJS declares some).
 */
export function fixOfficeFile(bytes: Uint8Array): Buffer {
  const given = Object.entries(unzipSync(bytes)).filter(([name]) => !name.endsWith('/'));
  const parts = new Map(given);
  const rewrite = (name: string, change: (xml: string) => string) => {
    const content = parts.get(name);
    if (content) parts.set(name, strToU8(change(strFromU8(content))));
  };
  rewrite('docProps/core.xml', fixDates);
  rewrite(contentTypes, (xml) =>
    xml.replace(/<Override PartName="\/([^"]*)"[^>]*\/>/g, (override, part) =>
      parts.has(part) ? override : '',
    ),
  );
  // Some programs tell the kind of file by its first entry.
  const inOrder = [...parts].sort(([a], [b]) => Number(b === contentTypes) - Number(a === contentTypes));
  return fixedZip(Object.fromEntries(inOrder));
}

const contentTypes = '[Content_Types].xml';

function fixDates(coreProperties: string): string {
  return coreProperties.replace(
    /(<dcterms:(?:created|modified)[^>]*>)[^<]*/g,
    `$1${buildDate.toISOString().replace('.000', '')}`,
  );
}
