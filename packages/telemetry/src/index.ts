// Logs of all processes, in one form.
export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
