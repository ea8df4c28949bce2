import pc from 'picocolors';

const plain = process.env.NO_COLOR !== undefined || process.env.TERM === 'dumb';

/** Results go to stdout. */
export const stdout = process.stdout;
export const isTerminal = Boolean(stdout.isTTY);
export const paint = pc.createColors(isTerminal && !plain);

/** Everything that is not a result goes to stderr, so that pipes and JSON lines on stdout stay clean. */
export const paintNote = pc.createColors(Boolean(process.stderr.isTTY) && !plain);

export function print(text = ''): void {
  stdout.write(`${text}\n`);
}

export function note(text = ''): void {
  process.stderr.write(`${text}\n`);
}

// What came from a document or a server may hold escape sequences that would steer the terminal.
export function harmless(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, '');
}
