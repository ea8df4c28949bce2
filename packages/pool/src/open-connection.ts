import pg from 'pg';
import { Connection } from './connection.ts';
import type { PoolEvent } from './events.ts';
import { fits, type Host, type SessionKind, type Target, type TargetSession } from './hosts.ts';
import type { ResolvedPoolOptions } from './options.ts';
import { createSessionStateDetector } from './session-state.ts';
import { createNamingPolicy } from './statements.ts';
import { callHook } from './tracer.ts';

export interface Opener {
  /**
   * Opens a session on the first host that answers and is what was asked for, or on `only`, whatever that is. Throws the last
   * error otherwise.
   */
  open(onDead: (connection: Connection) => void, only?: Host): Promise<Connection>;
  /** What the server said of itself when the last connection was opened, e.g. `18.1`. */
  readonly serverVersion: string | undefined;
  /** Whether connections go through a pooler such as PgBouncer. */
  readonly pooled: boolean;
}

type OpenerOptions = Pick<
  ResolvedPoolOptions,
  | 'connectTimeoutMs'
  | 'applicationName'
  | 'settings'
  | 'sharedSession'
  | 'cancelTimeoutMs'
  | 'maxStatements'
  | 'tracer'
  | 'onEvent'
>;

const types = new pg.TypeOverrides();
// int8 (counts, sizes) as number; what a number cannot hold exactly stays the text that it came as.
types.setTypeParser(20, (text: string) => {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
});

let lastId = 0;

export function createOpener(target: Target, options: OpenerOptions): Opener {
  const changesSession = createSessionStateDetector();
  const naming = createNamingPolicy(options.maxStatements, (error) =>
    options.onEvent({ type: 'prepared_statements_off', error }),
  );
  const told = new Set<string>();
  let lastGood = 0;
  let serverVersion: string | undefined;
  let pooled = false;

  function setUp(client: pg.Client): Promise<Session> {
    return options.sharedSession ? Promise.resolve(ownSession) : setUpSession(client, options.settings);
  }

  function tell(session: Session): void {
    for (const [setting, wanted] of Object.entries(session.ignored)) {
      if (told.has(setting)) continue;
      told.add(setting);
      options.onEvent(ignoredSetting(setting, options.settings[setting] as string, wanted));
    }
  }

  async function openAt(host: Host, wanted: TargetSession, onDead: (connection: Connection) => void) {
    const client = createClient(host, options);
    const { host: name, port } = client;
    const end = callHook(options.tracer.connect, { host: name, port });
    const timer = setTimeout(
      () => destroy(client, noAnswer(name, port, options.connectTimeoutMs)),
      options.connectTimeoutMs,
    );
    timer.unref();
    let failed: Error | undefined;
    // Without a listener a socket that dies would end the process.
    client.on('error', (error) => {
      failed = error;
    });
    try {
      await client.connect();
      const session = await setUp(client);
      if (failed) throw failed;
      if (!fits(wanted, session)) throw new Error(`${name}:${port} is not ${wanted}`);
      pooled = session.pooled;
      serverVersion = session.version;
      tell(session);
      lastId += 1;
      const connection: Connection = new Connection({
        id: lastId,
        client,
        openedAt: host,
        host: name,
        port,
        pooled: session.pooled,
        serverStarted: session.pooled ? undefined : session.started,
        cancellable: !options.sharedSession,
        cancelTimeoutMs: options.cancelTimeoutMs,
        naming,
        changesSession,
        resetSql: resetSql(client, options.settings),
        tracer: options.tracer,
        onDead: () => onDead(connection),
      });
      callHook(end, { connection: lastId });
      return connection;
    } catch (error) {
      callHook(end, { error });
      destroy(client);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async open(onDead, only) {
      if (only) return await openAt(only, 'any', onDead);
      const { hosts } = target;
      // Nothing else fits in the second round: then any server will do.
      const rounds: TargetSession[] =
        target.session === 'prefer-standby' ? ['standby', 'any'] : [target.session];
      let lastError: unknown;
      for (const wanted of rounds) {
        for (let i = 0; i < hosts.length; i += 1) {
          const index = (lastGood + i) % hosts.length;
          try {
            const connection = await openAt(hosts[index] as Host, wanted, onDead);
            lastGood = index;
            return connection;
          } catch (error) {
            lastError = error;
          }
        }
      }
      throw lastError;
    },
    get serverVersion() {
      return serverVersion;
    },
    get pooled() {
      return pooled;
    },
  };
}

function createClient(host: Host, options: OpenerOptions): pg.Client {
  return new pg.Client({
    connectionString: host.connectionString,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
    ...(options.sharedSession ? {} : { application_name: options.applicationName }),
  });
}

function destroy(client: pg.Client, error?: Error): void {
  (
    client as unknown as { connection: { stream: { destroy(error?: Error): void } } }
  ).connection.stream.destroy(error);
}

function noAnswer(host: string, port: number, ms: number): Error {
  return Object.assign(new Error(`no answer from ${host}:${port} within ${ms} ms`), { code: 'ETIMEDOUT' });
}

interface Session extends SessionKind {
  pooled: boolean;
  started: string | undefined;
  version: string | undefined;
  /** Settings that are not what they were set to, with what they are. */
  ignored: Record<string, string | null>;
}

const ownSession: Session = {
  pooled: false,
  standby: false,
  readOnly: false,
  started: undefined,
  version: undefined,
  ignored: {},
};

/**
 * Applies the settings and learns what kind of session this is, in one round trip. After connecting and not at startup,
 * because PgBouncer refuses unknown startup parameters. Behind a pooler the session belongs to whoever runs the next
 * transaction, so there nothing is set: the settings are read, and what differs is told with the SQL that sets it for good.
 */
async function setUpSession(client: pg.Client, settings: Record<string, string>): Promise<Session> {
  const names = Object.keys(settings);
  const key = (client as unknown as { processID: number | null }).processID;
  // A pooler answers with keys of its own in place of the number of the server's process.
  const set = names.map(
    (_, i) =>
      `case when pg_backend_pid() = $1::int then set_config($${2 * i + 2}::text, $${2 * i + 3}::text, false)
       else current_setting($${2 * i + 2}::text, true) end as s${i}`,
  );
  const { rows } = await client.query({
    text: `select coalesce(pg_backend_pid() <> $1::int, true) as pooled, pg_is_in_recovery() as standby,
      current_setting('transaction_read_only') = 'on' as read_only, current_setting('server_version') as version,
      extract(epoch from pg_postmaster_start_time())::text as started
      ${set.map((column) => `, ${column}`).join('')}`,
    values: [key, ...names.flatMap((name) => [name, settings[name]])],
  });
  const row = rows[0];
  const ignored: Record<string, string | null> = {};
  names.forEach((name, i) => {
    const found = row[`s${i}`] as string | null;
    if (row.pooled && !sameSetting(found, settings[name] as string)) ignored[name] = found;
  });
  const { pooled, standby, read_only: readOnly, version, started } = row;
  return { pooled, standby, readOnly, version, started, ignored };
}

function sameSetting(found: string | null, wanted: string): boolean {
  return found !== null && found.toLowerCase() === wanted.toLowerCase();
}

function ignoredSetting(setting: string, wanted: string, found: string | null): PoolEvent {
  const remedy = `alter role current_user set ${setting} = '${wanted.replaceAll("'", "''")}'`;
  return { type: 'setting_ignored', setting, wanted, found, remedy };
}

function resetSql(client: pg.Client, settings: Record<string, string>): string {
  const set = Object.entries(settings).map(
    ([name, value]) => `set_config(${client.escapeLiteral(name)}, ${client.escapeLiteral(value)}, false)`,
  );
  return [
    'reset session authorization',
    'reset role',
    'reset all',
    'close all',
    'unlisten *',
    'select pg_advisory_unlock_all()',
    'deallocate all',
    'discard temp',
    'discard sequences',
    ...(set.length > 0 ? [`select ${set.join(', ')}`] : []),
  ].join('; ');
}
