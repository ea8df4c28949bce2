import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from '@sluice/pool';
import { TestingError } from './errors.ts';

const GRACE_MS = 2000;
const POLL_MS = 25;

interface Backend extends Record<string, unknown> {
  pid: number;
  application_name: string;
  state: string | null;
  query: string;
}

/**
 * Throws `CONNECTIONS_LEAKED` if anybody else is still connected to the database of `url`. Connections that are
 * being closed get two seconds, as the server notices a hang-up a little later than the client.
 */
export async function expectNoLeakedConnections(url: string): Promise<void> {
  await using pool = createPool({
    connectionString: url,
    size: 1,
    maxOverflow: 0,
    applicationName: 'sluice-leak-check',
  });
  const deadline = Date.now() + GRACE_MS;
  for (;;) {
    const { rows } = await pool.query<Backend>(
      `select pid, application_name, state, left(query, 80) as query from pg_stat_activity
       where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`,
    );
    if (rows.length === 0) return;
    if (Date.now() > deadline) throw new TestingError('CONNECTIONS_LEAKED', describeLeak(rows));
    await sleep(POLL_MS);
  }
}

function describeLeak(backends: readonly Backend[]): string {
  const lines = backends.map((b) => `  pid ${b.pid} "${b.application_name}", ${b.state}: ${b.query}`);
  return `${backends.length} connection(s) still open:\n${lines.join('\n')}`;
}
