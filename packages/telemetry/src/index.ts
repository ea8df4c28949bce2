// Logs of all processes, in one form.

export { logEvents } from './log-events.ts';
export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
