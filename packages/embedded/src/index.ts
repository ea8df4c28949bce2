// Postgres without a server to install. Withheld: the wire server and the session, which only the child process runs.
export { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
export { EmbeddedError, type EmbeddedErrorCode } from './errors.ts';
