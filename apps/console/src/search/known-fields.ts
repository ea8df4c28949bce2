import type { HitBody, UploadBody } from '@sluice/contract';

const maxFields = 50;

function* fieldsOf(metadata: Record<string, unknown>, above = ''): Generator<string> {
  for (const [key, value] of Object.entries(metadata)) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isObject) yield* fieldsOf(value as Record<string, unknown>, `${above}${key}.`);
    else yield above + key;
  }
}

/** Fields of metadata that the page has seen, to choose from in a filter. */
export function knownFields(uploads: readonly UploadBody[], hits: readonly HitBody[]): string[] {
  const seen = [...uploads.map(({ metadata }) => metadata), ...hits.map(({ document }) => document.metadata)];
  const fields = new Set(seen.flatMap((metadata) => [...fieldsOf(metadata)]));
  return [...fields].sort().slice(0, maxFields);
}
