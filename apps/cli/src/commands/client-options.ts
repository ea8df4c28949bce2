import { type Command, InvalidArgumentError, Option } from 'commander';

export interface ClientFlags {
  url: string;
  key?: string;
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && ['http:', 'https:'].includes(url.protocol)) return text;
  throw new InvalidArgumentError('Expected an address like http://127.0.0.1:3000.');
}

export function jsonObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`Expected a JSON object: ${(error as Error).message}.`);
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new InvalidArgumentError(`Expected a JSON object like '{"language":"en"}'.`);
}

export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

export function urlOption(description: string): Option {
  // Empty counts as not set, as in the rest of the configuration; a compose file cannot say it otherwise.
  for (const name of ['SLUICE_URL', 'SLUICE_API_KEY']) {
    if (process.env[name] === '') delete process.env[name];
  }
  return new Option('--url <url>', description).env('SLUICE_URL').argParser(httpUrl);
}

/** What every command that talks to a server takes. */
export function withClientOptions(command: Command): Command {
  return command
    .addOption(urlOption('address of the gateway').default('http://127.0.0.1:3000'))
    .addOption(new Option('--key <key>', 'API key, where the gateway asks for one').env('SLUICE_API_KEY'));
}
