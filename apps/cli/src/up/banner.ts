import { note, paintNote } from '../terminal.ts';

/** An address that a browser on this machine can open. */
export function reachable(url: string): string {
  const parsed = new URL(url);
  if (['0.0.0.0', '[::]'].includes(parsed.hostname)) parsed.hostname = 'localhost';
  return parsed.origin;
}

export function showBanner(url: string, { needsKey }: { needsKey: boolean }): void {
  const key = needsKey ? '-H "Authorization: Bearer $SLUICE_API_KEY" ' : '';
  const rows = [
    ['Web page', '/'],
    ['API reference', '/docs'],
    ['Queue dashboard', '/admin/queues'],
  ] as const;
  note();
  note(paintNote.bold(paintNote.green('Sluice is ready.')));
  for (const [what, path] of rows) note(`  ${what.padEnd(16)} ${paintNote.cyan(`${url}${path}`)}`);
  note();
  note(`  Try it:  curl ${key}-F file=@README.md ${url}/v1/uploads`);
  note('  Ctrl-C stops everything.');
  note();
}
