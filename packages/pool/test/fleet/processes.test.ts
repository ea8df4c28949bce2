import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createTestRedis, describeWithServices, type RunningService, startPostgres } from '@sluice/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createPool, type Pool } from '../../src/index.ts';

interface Report {
  share: number;
  members: number;
  held: number;
  done: number;
  refusals: number;
  failures: string[];
}
interface Member {
  child: ChildProcess;
  last: Report | undefined;
}

// 60 less the 3 that the server keeps for superusers, less the fleet's own reserve of 5.
const usable = 52;
const script = new URL('./support/member.ts', import.meta.url).pathname;

function startMember(settings: object): Member {
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const member: Member = { child, last: undefined };
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    member.last = JSON.parse(line) as Report;
  });
  return member;
}

async function end(member: Member, signal: NodeJS.Signals): Promise<void> {
  if (member.child.exitCode !== null || member.child.signalCode !== null) return;
  const exit = once(member.child, 'exit');
  member.child.kill(signal);
  await exit;
}

const sharesOf = (members: readonly Member[]) => members.map(({ last }) => last?.share ?? 0);
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

describeWithServices(
  ['processes', 'redis'],
  'sixteen processes with pools of 50 on a server of 60 connections',
  () => {
    let server: RunningService;
    let observer: Pool;
    beforeAll(async () => {
      server = await startPostgres({
        settings: { max_connections: 60, logging_collector: 'on', log_filename: 'fleet.log' },
      });
      observer = createPool({ connectionString: server.url, size: 1, maxOverflow: 0 });
      // Superusers may use what is reserved for them: members must not be any.
      await observer.query(
        'create role fleet_member login; grant create on database postgres to fleet_member',
      );
    });
    afterAll(async () => {
      await observer.drain();
      await server[Symbol.asyncDispose]();
    });

    async function refusedByServer(): Promise<number> {
      const { rows } = await observer.query<{ log: string }>("select pg_read_file('log/fleet.log') as log");
      return (rows[0]?.log.match(/too many clients|remaining connection slots/g) ?? []).length;
    }
    async function connections(): Promise<number> {
      const { rows } = await observer.query<{ n: number }>(
        "select count(*) as n from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
      );
      return rows[0]?.n as number;
    }

    test.each(['redis', 'postgres'] as const)(
      'never see too many clients, and share what there is when some are killed and others come (%s)',
      async (driver) => {
        await using redis = driver === 'redis' ? await createTestRedis() : undefined;
        const url = new URL(server.url);
        url.username = 'fleet_member';
        const settings = { connectionString: url.href, redisUrl: redis?.url };
        const refusedBefore = await refusedByServer();
        let most = 0;
        const watch = setInterval(async () => {
          most = Math.max(most, await connections().catch(() => 0));
        }, 100);
        let members = Array.from({ length: 16 }, () => startMember(settings));
        const settled = async (wanted: number) => {
          await vi.waitFor(
            () => {
              const shares = sharesOf(members);
              expect(shares.filter((share) => share > 0)).toHaveLength(wanted);
              expect(sum(shares)).toBe(usable);
              expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
            },
            { timeout: 60_000, interval: 100 },
          );
        };
        try {
          await settled(16);
          await vi.waitFor(() => {
            for (const { last } of members) expect(last?.done).toBeGreaterThan(0);
          }, 20_000);

          const killed = members.slice(0, 5);
          members = members.slice(5);
          await Promise.all(killed.map((member) => end(member, 'SIGKILL')));
          const start = performance.now();
          members.push(...Array.from({ length: 3 }, () => startMember(settings)));
          await settled(14);
          // From the kills: their shares are free after a ttl of 5 s, and the newcomers have to start as processes.
          expect(performance.now() - start).toBeLessThan(10_000);
          await vi.waitFor(() => {
            for (const { last } of members) expect(last?.held).toBeLessThanOrEqual(last?.share ?? 0);
          }, 10_000);
          expect(members.flatMap(({ last }) => last?.failures)).toEqual([]);
        } finally {
          clearInterval(watch);
          await Promise.all(members.map((member) => end(member, 'SIGTERM')));
        }
        expect(sum(members.map(({ last }) => last?.refusals ?? 0))).toBe(0);
        expect(await refusedByServer()).toBe(refusedBefore);
        // What they use of the server is what they may, and the reserve for those who start.
        expect(most).toBeGreaterThan(30);
        expect(most).toBeLessThanOrEqual(usable + 5);
        await vi.waitFor(async () => expect(await connections()).toBe(0), 10_000);
      },
      150_000,
    );
  },
);
