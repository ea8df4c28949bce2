import { read } from './repository.ts';

/** Names and values of deploy/postgres.conf, without quotes. */
export function postgresSettings(): Map<string, string> {
  const assignments = read('deploy/postgres.conf').matchAll(/^(\w+) = (?:'([^']*)'|([^\s#]+))/gmu);
  return new Map([...assignments].map(([, name = '', quoted, bare]) => [name, quoted ?? bare ?? '']));
}
