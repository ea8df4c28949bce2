import { type Values, type VariableName, variables } from './schema.ts';

// Shorter ones are words that stand in ordinary lines as well.
const leastLength = 6;

/** What must not be seen of the value of a secret variable: of a URL its password and its query, else all of it. */
function partsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(partsOf);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(partsOf);
  if (typeof value !== 'string') return [];
  const [, password] = /^\w+:\/\/[^/?#]*?:([^/?#]*)@/.exec(value) ?? [];
  if (password !== undefined) return [password, decoded(password)];
  if (!URL.canParse(value)) return [value];
  return [...new URL(value).searchParams.values()];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Every secret of a configuration, as it may turn up in what others say: an error of a provider that quotes the key it was sent. */
export function secretsOf(values: Values): string[] {
  const names = (Object.keys(variables) as VariableName[]).filter((name) => variables[name].secret);
  const parts = names.flatMap((name) => partsOf(values[name]));
  return [...new Set(parts)].filter((part) => part.length >= leastLength);
}
