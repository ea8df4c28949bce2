// Health check of a container: node deploy/check-health.ts gateway|worker. Exit status 0 is healthy, 1 is not.
// Reads the same environment as the service beside it.
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';

const REQUEST_TIMEOUT_MS = 4_000;
const DEFAULT_PORTS: Record<string, string> = { 'redis:': '6379', 'rediss:': '6379' };
// In /proc/net/tcp.
const ESTABLISHED = '01';

/** Ready to serve, not only alive: the answer names what is missing. */
async function checkGateway(): Promise<string> {
  const url = `http://127.0.0.1:${process.env.PORT || '3000'}/readyz`;
  const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  const body = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body}`);
  return body;
}

/**
 * A worker listens on no port. As long as it takes jobs it holds connections to its queue, and a container has no
 * other sockets than those of its service, so the kernel's list tells without the worker's help.
 */
async function checkWorker(): Promise<string> {
  const queue = process.env.REDIS_URL || process.env.DATABASE_URL;
  if (!queue) throw new Error('neither REDIS_URL nor DATABASE_URL is set');
  const { hostname, port, protocol } = new URL(queue);
  const { address } = await lookup(hostname, { family: 4 });
  const peer = peerInProc(address, Number(port || DEFAULT_PORTS[protocol] || '5432'));
  const count = sockets().filter(
    (socket) => socket.state === ESTABLISHED && socket.peer.endsWith(peer),
  ).length;
  if (count === 0) throw new Error(`no connection to the queue at ${hostname} (${address})`);
  return `${count} connections to the queue`;
}

/** IPv4 address in the kernel's notation: bytes last to first, then the port. IPv4 in IPv6 ends the same way. */
function peerInProc(address: string, port: number): string {
  const bytes = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  return `${bytes.reverse().join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
}

function sockets(): { state: string; peer: string }[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/u))
      .map(([, , peer = '', state = '']) => ({ peer, state })),
  );
}

const checks: Record<string, () => Promise<string>> = { gateway: checkGateway, worker: checkWorker };

try {
  const check = checks[process.argv[2] ?? ''];
  if (!check) throw new Error('usage: node deploy/check-health.ts gateway|worker');
  process.stdout.write(`${await check()}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
