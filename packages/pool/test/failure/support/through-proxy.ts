import { type FaultProxy, startFaultProxy } from '@sluice/testing';

/** A fault proxy in front of the server of `url`, and the URL that leads through it. */
export async function proxyTo(url: string): Promise<FaultProxy & { url: string }> {
  const { hostname, port } = new URL(url);
  const proxy = await startFaultProxy({ host: hostname, port: Number(port || 5432) });
  return Object.assign(proxy, { url: proxy.through(url) });
}
