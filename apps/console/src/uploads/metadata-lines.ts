import { parseValue } from '../metadata-value.ts';

export class MetadataFault extends Error {
  override readonly name = 'MetadataFault';
  readonly line: string;

  constructor(line: string) {
    super(`not a field and its value: ${line}`);
    this.line = line;
  }
}

/** Lines `key = value` as the metadata of a document; undefined when there are none. Throws MetadataFault. */
export function parseMetadata(text: string): Record<string, unknown> | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const fields = lines.map((line) => {
    const match = /^([^=:]+?)\s*[=:]\s*(.+)$/.exec(line);
    if (!match?.[1] || match[2] === undefined) throw new MetadataFault(line);
    return [match[1], parseValue(match[2])] as const;
  });
  return fields.length > 0 ? Object.fromEntries(fields) : undefined;
}
