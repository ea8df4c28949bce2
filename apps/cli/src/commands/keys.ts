import { type MadeApiKeyBody, type NewApiKeyBody, newApiKeySchema } from '@sluice/contract';
import { Command, InvalidArgumentError, Option } from 'commander';
import { createClient } from '../client/client.ts';
import { usageError } from '../errors.ts';
import { createGatewayDesk } from '../keys/gateway-desk.ts';
import type { KeyDesk } from '../keys/key-desk.ts';
import { describeMade, renderKeys } from '../keys/render-keys.ts';
import { note, print } from '../terminal.ts';
import { type ClientFlags, integerBetween, urlOption } from './client-options.ts';

interface DeskFlags extends Partial<ClientFlags> {
  json: boolean;
}

interface CreateFlags extends DeskFlags {
  scope: NewApiKeyBody['scopes'];
  collection?: string[];
  expires?: number;
  requestsPerMinute?: number;
  uploadsPerDay?: number;
  uploadBytesPerDay?: number;
}

const units = { s: 1, m: 60, h: 3_600, d: 86_400 };

function seconds(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count && unit) return Number(count) * units[unit as keyof typeof units];
  throw new InvalidArgumentError('Expected a time like 90d, 12h, 30m or 0s.');
}

const several = (value: string, before: string[] = []) => [...before, value];
const scopes = ['ingest', 'query', 'monitor', 'admin'];

/** As `several`: Commander checks choices only where it does the gathering. */
function scope(value: string, before: string[] = []): string[] {
  if (!scopes.includes(value)) throw new InvalidArgumentError(`Expected one of ${scopes.join(', ')}.`);
  return several(value, before);
}

async function openDesk({ url, key }: DeskFlags): Promise<KeyDesk> {
  if (url) return createGatewayDesk(createClient({ url, key }));
  const { openDatabaseDesk } = await import('../keys/database-desk.ts');
  return openDatabaseDesk(process.env);
}

function showMade(made: MadeApiKeyBody, json: boolean): void {
  if (!json) note(describeMade(made));
  print(json ? JSON.stringify(made) : made.key);
}

/** As the API checks it, also where there is no API in between. */
function newKeyOf(name: string, flags: CreateFlags): NewApiKeyBody {
  const { expires, collection: collections } = flags;
  const parsed = newApiKeySchema.safeParse({
    name,
    scopes: flags.scope,
    ...(collections && { collections }),
    ...(expires !== undefined && { expires_at: new Date(Date.now() + expires * 1_000).toISOString() }),
    limits: {
      requests_per_minute: flags.requestsPerMinute ?? null,
      uploads_per_day: flags.uploadsPerDay ?? null,
      upload_bytes_per_day: flags.uploadBytesPerDay ?? null,
    },
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw usageError(`${issue?.path.join('/')}: ${issue?.message}`);
}

const withoutAdmin =
  'From the first key on every request needs one, and none that there is may make or revoke keys. Unless SLUICE_API_KEYS is set, make one that may:\n' +
  '  sluice keys create operator --scope admin\nWithout --url that needs no key; on the embedded Postgres stop "sluice up" before.';

async function create(name: string, flags: CreateFlags): Promise<void> {
  const key = newKeyOf(name, flags);
  await using desk = await openDesk(flags);
  const before = (await desk.list()).filter(({ state }) => state === 'active');
  showMade(await desk.create(key), flags.json);
  const mayMakeKeys = [...before, key].some(({ scopes: held }) => held.includes('admin'));
  if (!mayMakeKeys) note(withoutAdmin);
}

async function list(flags: DeskFlags & { all: boolean }): Promise<void> {
  await using desk = await openDesk(flags);
  const keys = (await desk.list()).filter(({ state }) => flags.all || state === 'active');
  print(flags.json ? JSON.stringify({ keys }) : renderKeys(keys));
}

async function revoke(id: string, flags: DeskFlags): Promise<void> {
  await using desk = await openDesk(flags);
  const revoked = await desk.revoke(id);
  print(
    flags.json ? JSON.stringify(revoked) : `Key ${revoked.id} is revoked. Gateways know within a second.`,
  );
}

async function rotate(id: string, flags: DeskFlags & { grace: number }): Promise<void> {
  await using desk = await openDesk(flags);
  showMade(await desk.rotate(id, flags.grace), flags.json);
}

function deskCommand(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .addOption(urlOption('a gateway to ask instead of the database'))
    .addOption(new Option('--key <key>', 'a key with the scope admin, for --url').env('SLUICE_API_KEY'))
    .option('--json', 'print the answer as one JSON line', false);
}

const limit = integerBetween(0, 1_000_000_000);

export function keysCommand(): Command {
  const command = new Command('keys')
    .summary('make, list, revoke and rotate API keys')
    .description(
      'Makes and ends the keys that callers send to a gateway. Works on DATABASE_URL without a gateway, or on the embedded\n' +
        'Postgres in SLUICE_DATA_DIR while nothing else uses it; with --url through a gateway that runs.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sluice keys create "law team" --scope ingest --scope query --collection law --expires 90d
  $ sluice keys create prometheus --scope monitor
  $ sluice keys list
  $ sluice keys rotate 4fTzP0aBcD3e --grace 1d
  $ docker compose run --rm gateway keys create operator --scope admin

A key goes to stdout, and what is said about it to stderr.`,
    );
  const commands = [
    deskCommand('create', 'make a key, which is shown this once')
      .argument('<name>', 'what people know it by')
      .requiredOption('--scope <scope>', `${scopes.join(', ')}; once for each of several`, scope)
      .option('-c, --collection <name>', 'only this collection; once for each of several', several)
      .option('--expires <time>', 'from now, like 90d or 12h (default: never)', seconds)
      .option('--requests-per-minute <n>', 'rate limit; 0: none (default: that of the server)', limit)
      .option('--uploads-per-day <n>', 'quota of uploads; 0: none (default: that of the server)', limit)
      .option(
        '--upload-bytes-per-day <n>',
        'quota in bytes; 0: none (default: that of the server)',
        integerBetween(0, Number.MAX_SAFE_INTEGER),
      )
      .action(create),
    deskCommand('list', 'list keys that can be used')
      .option('--all', 'also those that have expired or were revoked', false)
      .action(list),
    deskCommand('revoke', 'end a key for good').argument('<id>', 'of the key').action(revoke),
    deskCommand('rotate', 'give a key another secret; the one before is taken for a while')
      .argument('<id>', 'of the key')
      .option('--grace <time>', 'how long the one before is taken, up to 30d', seconds, 86_400)
      .action(rotate),
  ];
  for (const sub of commands) command.addCommand(sub);
  return command;
}
