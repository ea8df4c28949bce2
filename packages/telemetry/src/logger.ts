import { type Logger, pino, type StreamEntry } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

export interface LoggerOptions {
  /** The process: gateway, worker. */
  name: string;
  level: string;
  /** auto: pretty on a terminal, JSON lines otherwise. */
  format: 'auto' | 'json' | 'pretty';
}

// Wherever one of these turns up in what is logged, its value is not written.
const secretKeys = [
  'authorization',
  'cookie',
  'key',
  'secret',
  'apiKey',
  'api_key',
  'password',
  'connectionString',
  'databaseUrl',
  'redisUrl',
];
const redactedPaths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
// A key of ours, whatever it stands in; its id may be seen.
const apiKey = /\b(slu_[0-9A-Za-z]{12})_[0-9A-Za-z]{43}/g;
const urlPassword = /(\w+:\/\/[^\s:/@]*:)[^\s/@]+@/g;

/** Structured logs on standard output. Secrets are cut out by name, and passwords in URLs by form. */
export function createLogger({ name, level, format }: LoggerOptions): Logger {
  const asPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  const stream: StreamEntry['stream'] = asPretty
    ? pretty({
        colorize: process.stdout.isTTY,
        ignore: 'pid,hostname',
        translateTime: 'SYS:HH:MM:ss.l',
        sync: true,
      })
    : pino.destination({ fd: 1, sync: true });
  return pino(
    {
      name,
      level,
      redact: { paths: redactedPaths, censor: '(hidden)' },
      hooks: {
        streamWrite: (line) => line.replaceAll(urlPassword, '$1(hidden)@').replaceAll(apiKey, '$1_(hidden)'),
      },
    },
    stream,
  );
}
