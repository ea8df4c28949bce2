import { once } from 'node:events';
import { createServer } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createFetcher } from '../src/index.ts';
import { fetchAll, loopback, resolverOf, rule, startOrigin } from './support/origin.ts';

const everywhere = rule('*');
/** Nothing that is told to the one who gave the URL may hold an address that a name has resolved to. */
const noAddress = /^(?!.*\d+\.\d+\.\d+\.\d+)/;

describe('which URLs are allowed', () => {
  test.each([
    ['a scheme other than http', 'ftp://example.org/a', /http and https/],
    ['a file', 'file:///etc/passwd', /http and https/],
    ['a data URL', 'data:text/plain,hello', /http and https/],
    ['a name and password', 'https://user:secret@example.org/', /user name or password/],
    ['a port other than 80 and 443', 'https://example.org:22/', /port 22/],
    ['no URL', 'example', /no URL/],
    ['loopback', 'http://127.0.0.1/', /public/],
    ['loopback as a number', 'http://2130706433/', /public/],
    ['loopback in octal and hex', 'http://0177.0.0x1/', /public/],
    ['loopback in IPv6', 'http://[::1]/', /public/],
    ['loopback mapped into IPv6', 'http://[::ffff:127.0.0.1]/', /public/],
    ['cloud metadata', 'http://169.254.169.254/latest/meta-data/', /public/],
    ['cloud metadata through NAT64', 'http://[64:ff9b::a9fe:a9fe]/', /public/],
    ['a private address with a dot at the end', 'http://10.0.0.1./', /public/],
  ])('not %s', async (_, url, message) => {
    const resolve = resolverOf({});
    await expect(fetchAll(url, { rules: [everywhere], resolve })).rejects.toMatchObject({
      code: 'url_not_allowed',
      message: expect.stringMatching(message),
    });
    expect(resolve.asked).toEqual([]);
  });

  test('none without a rule', async () => {
    await expect(fetchAll('https://example.org/', { rules: [] })).rejects.toMatchObject({
      code: 'url_not_allowed',
      message: expect.stringContaining('switched off'),
    });
  });

  test('only those of a host that a rule names', async () => {
    const rules = [rule('docs.example.org'), rule('*.wiki.test')];
    const resolve = resolverOf({});
    const codeOf = (url: string) => fetchAll(url, { rules, resolve }).catch(({ code }) => code);
    // Those that pass are looked up, in vain.
    expect(await codeOf('https://docs.example.org/')).toBe('url_unreachable');
    expect(await codeOf('https://DOCS.example.org./')).toBe('url_unreachable');
    expect(await codeOf('https://a.b.wiki.test/')).toBe('url_unreachable');
    expect(await codeOf('https://example.org/')).toBe('url_not_allowed');
    expect(await codeOf('https://evil-docs.example.org/')).toBe('url_not_allowed');
    expect(await codeOf('https://docs.example.org.evil.test/')).toBe('url_not_allowed');
    expect(await codeOf('https://wiki.test/')).toBe('url_not_allowed');
    expect(await codeOf('https://evilwiki.test/')).toBe('url_not_allowed');
  });

  test.each(['127.0.0.1', '10.1.2.3', '::1', '169.254.169.254', '::ffff:10.0.0.1', 'fd00::1'])(
    'not one whose name resolves to %s, also when the host is named by a rule',
    async (address) => {
      await using origin = await startOrigin((_, response) => response.end('inside'));
      const resolve = resolverOf({ 'inside.test': [address] });
      for (const rules of [[rule('*', origin.port)], [rule('inside.test', origin.port)]]) {
        const fetched = fetchAll(`http://inside.test:${origin.port}/`, { rules, resolve });
        await expect(fetched).rejects.toMatchObject({
          code: 'url_not_allowed',
          message: expect.stringMatching(noAddress),
        });
      }
      expect(origin.requests).toEqual([]);
    },
  );

  test('a private address that the rule of its host names, and no other', async () => {
    await using origin = await startOrigin((_, response) => response.end('inside'));
    const rules = [rule('files.test', origin.port, '127.0.0.0/8')];
    const url = `http://files.test:${origin.port}/`;
    const inside = resolverOf({ 'files.test': ['127.0.0.1'] });
    expect((await fetchAll(url, { rules, resolve: inside })).body).toBe('inside');
    const other = resolverOf({ 'files.test': ['10.0.0.1'] });
    await expect(fetchAll(url, { rules, resolve: other })).rejects.toMatchObject({ code: 'url_not_allowed' });
  });
});

describe('a redirect', () => {
  const to = (location: string, status = 302) =>
    startOrigin((request, response) => {
      if (request.url === '/start') response.writeHead(status, { location }).end('moved');
      else response.end(`content of ${request.url}`);
    });

  test.each([301, 302, 303, 307, 308])('is followed, status %d, and names the file', async (status) => {
    await using origin = await to('/files/report%20one.txt?x=1#y', status);
    const fetched = await fetchAll(`http://127.0.0.1:${origin.port}/start`, {
      rules: [loopback(origin.port)],
    });
    expect(fetched).toMatchObject({
      body: 'content of /files/report%20one.txt?x=1',
      fileName: 'report one.txt',
    });
  });

  test.each([
    ['a private address', 'http://10.0.0.1/', /public/],
    ['cloud metadata', 'http://169.254.169.254/', /public/],
    ['another port of the same host', 'http://127.0.0.1:1/', /port 1/],
    ['a host that is not allowed', 'https://example.org/', /example.org/],
    ['a file', 'file:///etc/passwd', /http and https/],
    ['credentials', 'http://a:b@127.0.0.1/', /user name/],
  ])('to %s is refused', async (_, location, message) => {
    await using origin = await to(location);
    const rules = [loopback(origin.port), rule('10.0.0.1'), rule('169.254.169.254')];
    await expect(fetchAll(`http://127.0.0.1:${origin.port}/start`, { rules })).rejects.toMatchObject({
      code: 'url_not_allowed',
      message: expect.stringMatching(message),
    });
    expect(origin.requests).toEqual(['/start']);
  });

  test('from a public host to a private one is refused where everything public is allowed', async () => {
    await using inside = await startOrigin((_, response) => response.end('secret'));
    await using origin = await to(`http://inside.test:${inside.port}/`);
    const resolve = resolverOf({ 'files.test': ['127.0.0.1'], 'inside.test': ['127.0.0.1'] });
    const rules = [rule('files.test', origin.port, '127.0.0.1'), rule('*', inside.port)];
    const fetched = fetchAll(`http://files.test:${origin.port}/start`, { rules, resolve });
    await expect(fetched).rejects.toMatchObject({ code: 'url_not_allowed' });
    expect(inside.requests).toEqual([]);
  });

  test('that never ends is refused', async () => {
    await using origin = await to('/start');
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/start`, { rules: [loopback(origin.port)], maxRedirects: 3 }),
    ).rejects.toMatchObject({ code: 'url_refused', message: expect.stringContaining('more than 3') });
    expect(origin.requests).toHaveLength(4);
  });

  test('to a name that resolves to another address by now is refused, and each connection asks once', async () => {
    await using origin = await to('/again');
    const resolve = resolverOf({ 'rebind.test': ['127.0.0.1', '127.0.0.2'] });
    const rules = [rule('rebind.test', origin.port, '127.0.0.1')];
    await expect(
      fetchAll(`http://rebind.test:${origin.port}/start`, { rules, resolve }),
    ).rejects.toMatchObject({
      code: 'url_not_allowed',
    });
    expect([origin.requests, resolve.asked]).toEqual([['/start'], ['rebind.test', 'rebind.test']]);
  });
});

describe('what comes back', () => {
  test.each([404, 401, 500, 304])('is refused with status %d', async (status) => {
    await using origin = await startOrigin((_, response) => response.writeHead(status).end());
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/`, { rules: [loopback(origin.port)] }),
    ).rejects.toMatchObject({ code: 'url_refused', details: { upstream_status: status } });
  });

  test.each([
    ['plain', undefined, (text: string) => Buffer.from(text)],
    ['gzip', 'gzip', gzipSync],
    ['br', 'br', brotliCompressSync],
    ['deflate', 'Deflate', deflateSync],
  ])('is decoded: %s', async (_, encoding, encode) => {
    await using origin = await startOrigin((_, response) => {
      if (encoding) response.setHeader('content-encoding', encoding);
      response.setHeader('content-type', 'text/markdown; charset=utf-8');
      response.end(encode('# Title'));
    });
    const fetched = await fetchAll(`http://127.0.0.1:${origin.port}/a/b.md`, {
      rules: [loopback(origin.port)],
    });
    expect(fetched).toEqual({ body: '# Title', mediaType: 'text/markdown; charset=utf-8', fileName: 'b.md' });
  });

  test.each(['gzip, gzip', 'zstd', 'compress'])('is refused when it is encoded as %s', async (encoding) => {
    await using origin = await startOrigin((_, response) =>
      response.setHeader('content-encoding', encoding).end('x'),
    );
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/`, { rules: [loopback(origin.port)] }),
    ).rejects.toMatchObject({ code: 'url_refused', message: expect.stringContaining(encoding) });
  });

  test('is refused when it is not compressed as it says', async () => {
    await using origin = await startOrigin((_, response) =>
      response.setHeader('content-encoding', 'gzip').end('no gzip at all'),
    );
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/`, { rules: [loopback(origin.port)] }),
    ).rejects.toMatchObject({ code: 'url_refused', message: expect.stringContaining('Content-Encoding') });
  });

  test('is refused by its announced length before it comes', async () => {
    await using origin = await startOrigin((_, response) => {
      response.writeHead(200, { 'content-length': 2_000_000 });
      response.flushHeaders();
    });
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/`, { rules: [loopback(origin.port)] }),
    ).rejects.toMatchObject({ code: 'too_large', details: { limit: 1_000_000 } });
  });

  test('is cut off at the limit when it never ends', async () => {
    let sent = 0;
    const chunk = Buffer.alloc(65_536, 'x');
    await using origin = await startOrigin((_, response) => {
      const more = () => {
        while (!response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      more();
    });
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/`, { rules: [loopback(origin.port)] }),
    ).rejects.toMatchObject({ code: 'too_large' });
    // The rest is what sockets hold on both sides.
    expect(sent).toBeLessThan(20_000_000);
  });

  test('of a bomb no more is unpacked than the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    expect(bomb.length).toBeLessThan(1_000_000);
    await using origin = await startOrigin((_, response) =>
      response.setHeader('content-encoding', 'gzip').end(bomb),
    );
    const before = process.memoryUsage().arrayBuffers;
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/`, { rules: [loopback(origin.port)] }),
    ).rejects.toMatchObject({ code: 'too_large' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  test('is cut off at the limit when endless compressed bytes expand to nothing', async () => {
    const empty = gzipSync('');
    const chunk = Buffer.concat(Array.from({ length: 2_000 }, () => empty));
    await using origin = await startOrigin((_, response) => {
      response.setHeader('content-encoding', 'gzip');
      const more = () => {
        while (!response.destroyed) if (!response.write(chunk)) return void response.once('drain', more);
      };
      more();
    });
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/`, { rules: [loopback(origin.port)] }),
    ).rejects.toMatchObject({ code: 'too_large' });
  });

  test.each([
    ['a head that does not come', () => {}],
    [
      'a body that trickles',
      (_: unknown, response: import('node:http').ServerResponse) => {
        const timer = setInterval(() => response.write('.'), 20);
        response.once('close', () => clearInterval(timer));
      },
    ],
  ])('has to be there in time: %s', async (_, listener) => {
    await using origin = await startOrigin(listener);
    const start = performance.now();
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/`, { rules: [loopback(origin.port)], timeoutMs: 400 }),
    ).rejects.toMatchObject({ code: 'url_timeout', details: { limit_seconds: 0.4 } });
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test('is left alone when it is disposed of unread', async () => {
    const closed = Promise.withResolvers<void>();
    await using origin = await startOrigin((_, response) => {
      response.once('close', closed.resolve);
      response.write('first');
    });
    const fetcher = createFetcher({
      rules: [loopback(origin.port)],
      maxBytes: 1_000,
      timeoutMs: 10_000,
      userAgent: 'sluice/test',
    });
    {
      using _file = await fetcher.fetch(`http://127.0.0.1:${origin.port}/`, new AbortController().signal);
    }
    await closed.promise;
  });

  test('is refused when the server wants to speak another protocol', async () => {
    await using origin = await startOrigin((_, response) =>
      response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    );
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/`, { rules: [loopback(origin.port)], timeoutMs: 5_000 }),
    ).rejects.toMatchObject({ code: 'url_unreachable' });
  });

  test('is not waited for when the caller goes away', async () => {
    await using origin = await startOrigin((_, response) => response.write('first'));
    const caller = new AbortController();
    const fetched = fetchAll(
      `http://127.0.0.1:${origin.port}/`,
      { rules: [loopback(origin.port)] },
      caller.signal,
    );
    setTimeout(() => caller.abort(new Error('gone')), 200);
    await expect(fetched).rejects.toThrow('gone');
  });

  test('is unreachable when the server breaks off in the middle', async () => {
    await using origin = await startOrigin((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half');
      setTimeout(() => response.destroy(), 50);
    });
    await expect(
      fetchAll(`http://127.0.0.1:${origin.port}/`, { rules: [loopback(origin.port)] }),
    ).rejects.toMatchObject({ code: 'url_unreachable', message: expect.stringContaining('broke off') });
  });

  test('is unreachable, without the address, when nobody listens, no name resolves, or it is no HTTP', async () => {
    const server = createServer((socket) => socket.resume().end('SSH-2.0-OpenSSH_9.9\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as import('node:net').AddressInfo;
    const attempt = (options: Parameters<typeof fetchAll>[1], url = `http://files.test:${port}/`) =>
      fetchAll(url, options).catch((error) => error);
    const rules = [rule('files.test', port, '127.0.0.1')];
    const resolve = resolverOf({ 'files.test': ['127.0.0.1'] });
    const noHttp = await attempt({ rules, resolve });
    await new Promise((resolved) => server.close(resolved));
    const nobody = await attempt({ rules, resolve });
    const noName = await attempt({ rules, resolve: resolverOf({}) });
    for (const error of [noHttp, nobody, noName]) {
      expect(error).toMatchObject({ code: 'url_unreachable', message: expect.stringMatching(noAddress) });
    }
    expect([noHttp, nobody, noName].map(({ message }) => message.split(': ')[1])).toEqual([
      'it does not answer in HTTP',
      'it refuses the connection',
      'its name does not resolve',
    ]);
  });
});

describe('the name of the file', () => {
  test.each([
    ['that the server gives', '/x', 'attachment; filename="report.pdf"', 'report.pdf'],
    [
      'in another script',
      '/x',
      "attachment; filename*=UTF-8''%C4%91%E1%BA%A5u%20th%E1%BA%A7u.pdf",
      'đấu thầu.pdf',
    ],
    ['without the folders that it comes with', '/x', 'attachment; filename="../../etc/passwd"', 'passwd'],
    ['without the folders of Windows', '/x', 'attachment; filename="C:\\\\temp\\\\a.txt"', 'a.txt'],
    ['of the path, when the header cannot be read', '/a/b.txt?c=d.pdf', 'attachment; filename=', 'b.txt'],
    ['of the path, decoded', '/%C4%91%E1%BA%A5u.txt', undefined, 'đấu.txt'],
    ['of the path, when it cannot be decoded', '/a%zz.txt', undefined, 'a%zz.txt'],
    ['without control characters', '/a%00b%0a.txt', undefined, 'ab.txt'],
    ['of no more than 255 characters', `/${'x'.repeat(400)}`, undefined, 'x'.repeat(255)],
    ['none', '/', undefined, undefined],
  ])('is the one %s', async (_, path, disposition, expected) => {
    await using origin = await startOrigin((_, response) => {
      if (disposition) response.setHeader('content-disposition', disposition);
      response.end('x');
    });
    const fetched = await fetchAll(`http://127.0.0.1:${origin.port}${path}`, {
      rules: [loopback(origin.port)],
    });
    expect(fetched.fileName).toBe(expected);
  });
});
