import { createFleetTables, type FleetTables, fleetTables, lockFleet, type Query } from './fleet-tables.ts';
import { type Ledger, type LedgerMember, newLedger, settle } from './ledger.ts';
import type { FleetStore } from './store.ts';

export interface PostgresStoreOptions {
  /**
   * Lends one connection to `use` and takes it back, whatever happens. The connection counts: lend one of the
   * member's own share or of the reserve. It may be one of PgBouncer in transaction mode.
   */
  run<T>(use: (query: Query) => Promise<T>): Promise<T>;
  /**
   * Where `fleet_members` and `fleet_clock` are, created if missing. Default `public`. `max_connections` is the
   * server's: all that share a server have to use the same schema of the same database.
   */
  schema?: string;
  /** Longest wait for the other members' exchanges, and for a member that stalls inside its own, in ms. Default 1 000. */
  lockTimeoutMs?: number;
}

/**
 * Grants in two unlogged tables. An exchange is one transaction under an advisory lock, about five round trips.
 *
 * A process that is suspended inside of it would keep the lock; the server ends such a session after `lockTimeoutMs`.
 */
export function createPostgresStore({
  run,
  schema = 'public',
  lockTimeoutMs = 1_000,
}: PostgresStoreOptions): FleetStore {
  const tables = fleetTables(schema);
  let created = false;
  let fresh = true;

  async function locked<T>(query: Query, use: () => Promise<T>): Promise<T> {
    // With a higher isolation level the snapshot would be older than the lock.
    await query('begin isolation level read committed');
    try {
      await limitTime(query, lockTimeoutMs);
      if (!created) await createFleetTables(query, tables, { fresh });
      await lockFleet(query, tables);
      const result = await use();
      await query('commit');
      created = true;
      fresh = false;
      return result;
    } catch (error) {
      created = false;
      await query('rollback').catch(() => undefined);
      throw error;
    }
  }

  return {
    driver: 'postgres',
    exchange: (request) =>
      run((query) =>
        locked(query, async () => {
          const { ledger, at } = await readLedger(query, tables);
          const settled = settle(ledger, request, at);
          await writeLedger(query, tables, settled.ledger, request.id);
          return settled.answer;
        }),
      ),
    leave: (id) =>
      run((query) =>
        locked(query, async () => {
          await query(`delete from ${tables.members} where id = $1::text`, [id]);
        }),
      ),
  };
}

async function limitTime(query: Query, lockTimeoutMs: number): Promise<void> {
  await query(
    `select set_config('lock_timeout', $1::text, true), set_config('statement_timeout', $1::text, true),
            set_config('idle_in_transaction_session_timeout', $1::text, true)`,
    [`${Math.ceil(lockTimeoutMs)}ms`],
  );
}

async function readLedger(query: Query, tables: FleetTables): Promise<{ ledger: Ledger; at: number }> {
  const { rows } = await query(
    `select (extract(epoch from clock_timestamp()) * 1000)::float8 as at, clock.clock, clock.at as last, clock.born,
            clock.next, (select coalesce(json_agg(members), '[]') from ${tables.members} as members) as members
     from (values (1)) as one left join ${tables.clock} as clock on true`,
  );
  const { at, last, clock, born, next, members } = rows[0];
  if (clock === null) return { ledger: newLedger(at, { fresh: false }), at };
  return { ledger: { clock, at: last, born, next, members: members.map(readMember) }, at };
}

function readMember({ ttl_ms, ...member }: Omit<LedgerMember, 'ttlMs'> & { ttl_ms: number }): LedgerMember {
  return { ...member, ttlMs: ttl_ms };
}

/**
 * Those that the ledger no longer has are dead. Of the others only the caller's row has changed, and after a silence
 * the time of all.
 */
async function writeLedger(query: Query, tables: FleetTables, ledger: Ledger, id: string): Promise<void> {
  const member = ledger.members.find((each) => each.id === id)!;
  await query(
    `with clock as (
       insert into ${tables.clock} (clock, at, born, next)
       values ($1::float8, $2::float8, $3::float8, $4::int)
       on conflict (single) do update
       set clock = excluded.clock, at = excluded.at, born = excluded.born, next = excluded.next
     ), dead as (
       delete from ${tables.members} where id <> all ($5::text[])
     ), renewed as (
       update ${tables.members} as member set renewed = other.renewed
       from unnest($5::text[], $17::float8[]) as other (id, renewed)
       where member.id = other.id and member.id <> $6::text and member.renewed <> other.renewed
     )
     insert into ${tables.members} (id, weight, floor, cap, held, granted, "limit", place, ttl_ms, turn, renewed)
     values ($6::text, $7::float8, $8::int, $9::int, $10::int, $11::int, $12::int, $13::int, $14::float8, $15::int,
             $16::float8)
     on conflict (id) do update
     set weight = excluded.weight, floor = excluded.floor, cap = excluded.cap, held = excluded.held,
         granted = excluded.granted, "limit" = excluded."limit", place = excluded.place, ttl_ms = excluded.ttl_ms,
         turn = excluded.turn, renewed = excluded.renewed`,
    [
      ledger.clock,
      ledger.at,
      Number.isFinite(ledger.born) ? ledger.born : '-Infinity',
      ledger.next,
      ledger.members.map((each) => each.id),
      member.id,
      member.weight,
      member.floor,
      member.cap,
      member.held,
      member.granted,
      member.limit,
      member.place,
      member.ttlMs,
      member.turn,
      member.renewed,
      ledger.members.map((each) => each.renewed),
    ],
  );
}
