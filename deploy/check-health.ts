// Health check of a container: node deploy/check-health.ts gateway|worker. Exit status 0 is healthy, 1 is not.
// Reads the same environment as the service beside it.

const REQUEST_TIMEOUT_MS = 4_000;

async function check(port: string, path: string): Promise<string> {
  const url = `http://127.0.0.1:${port}${path}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  const body = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body}`);
  return body;
}

const checks: Record<string, () => Promise<string>> = {
  /** Ready to serve, not only alive: the answer names what is missing. */
  gateway: () => check(process.env.PORT || '3000', '/readyz'),
  /** Gets on with its jobs, and can reach what it needs for them. */
  async worker() {
    const port = process.env.WORKER_PORT || '3001';
    return `${await check(port, '/healthz')} ${await check(port, '/readyz')}`;
  },
};

try {
  const service = checks[process.argv[2] ?? ''];
  if (!service) throw new Error('usage: node deploy/check-health.ts gateway|worker');
  process.stdout.write(`${await service()}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
