import { OutboundError } from './errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name does not resolve',
  ENODATA: 'its name does not resolve',
  EAI_AGAIN: 'its name could not be resolved',
  ECONNREFUSED: 'it refuses the connection',
  ECONNRESET: 'it broke off',
  EPIPE: 'it broke off',
  ERR_STREAM_PREMATURE_CLOSE: 'it broke off',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
};

// Node's own messages name the address that it has connected to.
function reasonOf(code: string): string {
  if (reasons[code]) return reasons[code];
  if (code.startsWith('HPE_')) return 'it does not answer in HTTP';
  if (/CERT|TLS|SSL|SIGNATURE/.test(code)) return `no secure connection can be made (${code})`;
  return 'the request failed';
}

const isCompressionError = (code: string) =>
  /^(Z_|ERR_BROTLI|ERR__ERROR_FORMAT|ERR_PADDING|ERR_.*_FORMAT)/.test(code);

/** What went wrong on the way to the server or back, for the one who gave the URL. */
export function explainFailure(error: unknown): OutboundError {
  if (error instanceof OutboundError) return error;
  const code = String((error as NodeJS.ErrnoException | undefined)?.code ?? '');
  if (isCompressionError(code)) {
    return new OutboundError(
      'url_refused',
      'the answer is not compressed as its Content-Encoding says',
      {},
      { cause: error },
    );
  }
  const message = `the server of the URL cannot be reached: ${reasonOf(code)}`;
  return new OutboundError('url_unreachable', message, {}, { cause: error });
}
