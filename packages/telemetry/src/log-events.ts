import type { Logger } from './logger.ts';

/** Logs events that name themselves by `type`: at debug, but for those that somebody should see. */
export function logEvents<E extends { type: string }>(
  log: Logger,
  subject: string,
  notable: readonly E['type'][],
): (event: E) => void {
  return ({ type, ...fields }) => {
    const { error, ...rest } = fields as { error?: unknown };
    const details = error === undefined ? rest : { ...rest, err: error };
    log[notable.includes(type) ? 'warn' : 'debug'](details, `${subject} ${type.replaceAll('_', ' ')}`);
  };
}
