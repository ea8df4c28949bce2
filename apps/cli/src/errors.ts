/** What a shell script can tell apart. Documented in the help of each command. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, unreachable: 3 } as const;

export type CliErrorCode =
  | 'usage'
  | 'server_unreachable'
  | 'request_refused'
  /** The server closed the connection while the request was still being sent: it has taken nothing. */
  | 'hung_up'
  | 'unexpected_answer'
  | 'port_taken'
  | 'database_unreachable'
  | 'service_failed'
  | 'not_ready';

/** Something the user can act on: shown without a stack. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly code: CliErrorCode;
  /** What to do about it, a line each. */
  readonly advice: readonly string[];

  constructor(
    code: CliErrorCode,
    message: string,
    { advice = [], ...options }: ErrorOptions & { advice?: readonly string[] } = {},
  ) {
    super(message, options);
    this.code = code;
    this.advice = advice;
  }

  get exitCode(): number {
    if (this.code === 'usage') return exitCodes.usage;
    return this.code === 'server_unreachable' ? exitCodes.unreachable : exitCodes.failed;
  }
}

export function usageError(message: string, ...advice: string[]): CliError {
  return new CliError('usage', message, { advice });
}
