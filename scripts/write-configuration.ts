// Writes .env.example and docs/configuration.md from the table of variables in packages/config.
// Usage: node scripts/write-configuration.ts
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { composeVariables, fixedByCompose } from '../deploy/compose-variables.ts';
import { type Group, type VariableName, variables } from '../packages/config/src/index.ts';

const ROOT = join(import.meta.dirname, '..');
const WIDTH = 110;
// No variable that restricts its values accepts this one; what it says then is what it does accept.
const NEVER_VALID = '\u0000';

interface Entry {
  name: string;
  default: string | undefined;
  description: string;
  secret: boolean;
  accepts: string;
}

function acceptedBy(name: VariableName): string {
  const parsed = variables[name].schema.safeParse(NEVER_VALID);
  if (parsed.success) return name.endsWith('_KEYS') ? 'a comma-separated list' : 'text';
  return parsed.error.issues[0]?.message.replace(/^expected /u, '') ?? 'text';
}

function entriesByGroup(): Map<Group, Entry[]> {
  const groups = new Map<Group, Entry[]>();
  for (const name of Object.keys(variables) as VariableName[]) {
    const { group, default: fallback, description, secret } = variables[name];
    const entry = { name, default: fallback, description, secret, accepts: acceptedBy(name) };
    groups.set(group, [...(groups.get(group) ?? []), entry]);
  }
  return groups;
}

function wrap(text: string, prefix: string): string {
  const lines = [prefix];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length + 1 > WIDTH && line !== prefix) lines.push(`${prefix} ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join('\n');
}

function exampleLines(name: string, entry: { default: string | undefined; description: string }): string {
  return `${wrap(entry.description, '#')}\n# ${name}=${entry.default ?? ''}`;
}

/** Every variable, commented out, with its default. */
export function envExample(): string {
  const compose = Object.entries(composeVariables).map(([name, entry]) => exampleLines(name, entry));
  const groups = [...entriesByGroup()].map(([group, entries]) => {
    const lines = entries.map((entry) => exampleLines(entry.name, entry));
    return [`## ${group}`, ...lines].join('\n\n');
  });
  return `${[
    `# Configuration of Sluice. Copy this file to .env and uncomment what shall differ from the default shown.
# docker compose reads .env by itself; for processes started by hand: set -a; . ./.env; set +a
# docker compose needs POSTGRES_PASSWORD, and sets these itself:
# ${listOf(fixedByCompose)}.
# Written by scripts/write-configuration.ts, as is docs/configuration.md.`,
    ...groups,
    ['## Docker Compose only', ...compose].join('\n\n'),
  ].join('\n\n')}\n`;
}

function listOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function tableOf(entries: readonly Entry[]): string {
  const rows = entries.map((entry) => {
    const meaning = entry.secret ? `${entry.description} Secret: never logged.` : entry.description;
    return `| ${code(entry.name)} | ${entry.default ? code(entry.default) : ''} | ${cell(entry.accepts)} | ${cell(meaning)} |`;
  });
  return ['| Variable | Default | Accepts | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function composeTable(): string {
  const rows = Object.entries(composeVariables).map(
    ([name, entry]) =>
      `| ${code(name)} | ${entry.default ? code(entry.default) : 'required'} | ${cell(entry.description)} |`,
  );
  return ['| Variable | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

export function configurationPage(): string {
  const groups = [...entriesByGroup()].map(([group, entries]) => `## ${group}\n\n${tableOf(entries)}`);
  return `<!-- Written by scripts/write-configuration.ts from packages/config/src/schema.ts. -->

# Configuration

Everything is configured by environment variables. They are checked at start: a process that finds one it cannot use
names each of them, with the value given and what was expected, and ends. An empty value counts as not set.

Which services run is decided by two of them:

| \`DATABASE_URL\` | \`REDIS_URL\` | Mode |
| --- | --- | --- |
| not set | not set | embedded: \`sluice up\` starts a Postgres of its own; queue in Postgres, cache in the process |
| set | not set | Postgres only: queue in Postgres, cache in the process |
| set | set | services: queue and cache in Redis |

In the embedded mode all connections share one session of the server, and \`DB_POOL_SIZE\` and \`DB_MAX_OVERFLOW\` have no
effect.

${groups.join('\n\n')}

## Docker Compose

\`docker-compose.yml\` passes the variables above on from \`.env\`, except those it sets itself:
${listOf(fixedByCompose.map(code))}. The gateway of a
container listens beyond localhost, so it asks for keys: \`docker compose logs gateway\` shows the first one, which the first start has
made, unless \`SLUICE_API_KEYS\` is set ([access](access.md)). It reads these besides:

${composeTable()}

## Client commands

\`sluice upload\` and \`sluice query\` talk to a gateway and read two variables of their own: \`SLUICE_URL\`, where it is, and
\`SLUICE_API_KEY\`, one of its keys. \`sluice keys\` does so where \`SLUICE_URL\` is set, and works on \`DATABASE_URL\` otherwise. The service
does not read them.
`;
}

export const configurationFiles = { '.env.example': envExample, 'docs/configuration.md': configurationPage };

if (import.meta.main) {
  for (const [path, content] of Object.entries(configurationFiles)) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true });
    await writeFile(join(ROOT, path), content());
  }
}
