import { type Logger, pino, type StreamEntry } from 'pino';
import pretty from 'pino-pretty';
import { traceIds } from './tracing.ts';

export type { Logger };

export interface LoggerOptions {
  /** The process: gateway, worker. */
  name: string;
  level: string;
  /** auto: pretty on a terminal, JSON lines otherwise. */
  format: 'auto' | 'json' | 'pretty';
  /** Texts that are cut out wherever they stand. Default none. */
  secrets?: readonly string[];
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

/** As it stands inside a JSON string. */
function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Structured logs on standard output. Secrets are cut out by name, passwords in URLs by form, and those that are known wherever they stand. */
export function createLogger({ name, level, format, secrets = [] }: LoggerOptions): Logger {
  // The longest first: one may be part of another.
  const known = secrets.map(inJson).sort((a, b) => b.length - a.length);
  function clean(line: string): string {
    let cleaned = line.replaceAll(urlPassword, '$1(hidden)@').replaceAll(apiKey, '$1_(hidden)');
    for (const secret of known) cleaned = cleaned.replaceAll(secret, '(hidden)');
    return cleaned;
  }

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
      mixin: traceIds,
      redact: { paths: redactedPaths, censor: '(hidden)' },
      hooks: { streamWrite: clean },
    },
    stream,
  );
}
