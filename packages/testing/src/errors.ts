export type TestingErrorCode =
  | 'SERVICES_UNAVAILABLE'
  | 'SERVICE_ROOT_NOT_BUILT'
  | 'SERVICE_DID_NOT_START'
  | 'SERVICE_DID_NOT_STOP'
  | 'PROGRAM_FAILED'
  | 'REDIS_DATABASES_EXHAUSTED'
  | 'CONNECTIONS_LEAKED';

/** Base error of this package. `code` is stable, `message` is for people. */
export class TestingError extends Error {
  readonly code: TestingErrorCode;

  constructor(code: TestingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TestingError';
    this.code = code;
  }
}
