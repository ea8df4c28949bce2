import { note, paintNote } from './terminal.ts';

/**
 * To stderr and not through the log, whose lines go to stdout: what collects those does not get it. Where the output of a container is
 * kept as a whole it is in there, so the text says how to get rid of it.
 */
export function showFirstKey(key: string): void {
  note();
  note(paintNote.bold('This is the first start, so a key for everything was made. It is shown this once:'));
  note();
  note(`  ${key}`);
  note();
  note(
    '  Send it as "Authorization: Bearer KEY". For each caller make one that can do less: sluice keys create --help',
  );
  note(
    '  If this output is kept where others can read it, make another (--scope admin) and revoke this one.',
  );
  note();
}
