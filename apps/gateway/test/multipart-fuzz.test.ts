import { createPool } from '@sluice/pool';
import { createRandom, describeWithServices, type Random } from '@sluice/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from './support/client.ts';
import { type RawRequest, sendRaw } from './support/raw-http.ts';
import { startSluice } from './support/running-service.ts';

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 1e9));
const rounds = Number(process.env.FUZZ_ROUNDS ?? 400);
// Longer than UPLOAD_TIMEOUT_SECONDS, after which the server gives up a request that does not go on.
const patienceMs = 15_000;

const part = (headers: string, body: string | Buffer) =>
  Buffer.concat([Buffer.from(`--b\r\n${headers}\r\n\r\n`), Buffer.from(body), Buffer.from('\r\n')]);
const field = (name: string, value: string) => part(`Content-Disposition: form-data; name="${name}"`, value);
const file = (name: string, body: string | Buffer) =>
  part(`Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/plain`, body);

/** As a browser would send them. */
const soundParts = [field('metadata', '{"a":1}'), file('a.txt', 'hello'), file('b.md', '# Title')];

function someParts(random: Random): Buffer[] {
  if (random.chance(0.3)) return soundParts.slice(0, random.between(2, 3));
  const parts = [
    () => random.pick(soundParts),
    () => field('collection', random.pick(['default', 'nowhere', '', '\0', 'x'.repeat(300)])),
    () => field('external_id', random.pick(['one', 'é\u{1F642}', 'x'.repeat(2_000)])),
    () => field(random.pick(['unknown', '__proto__', 'metadata[]']), 'value'),
    () => file(random.pick(['../../etc/passwd', 'a\0b.txt', '"; x="', '%00.pdf', '']), 'hello'),
    () => file('large.txt', Buffer.alloc(random.between(0, 300_000), 'words and words\n')),
    () =>
      part(
        `Content-Disposition: form-data; name="x"\r\nX-Long: ${'y'.repeat(random.between(0, 90_000))}`,
        'z',
      ),
    () =>
      part(random.pick(['', 'Content-Disposition:', 'Content-Disposition: attachment', ': :']), 'no name'),
  ];
  return Array.from({ length: random.between(0, 6) }, () => random.pick(parts)());
}

function bodyOf(random: Random): Buffer {
  const body = Buffer.concat([...someParts(random), Buffer.from(random.chance(0.8) ? '--b--\r\n' : '')]);
  if (random.chance(0.3))
    for (let i = random.between(1, 8); i > 0 && body.length > 0; i -= 1)
      body[random.between(0, body.length - 1)] = random.between(0, 255);
  return random.chance(0.2) ? body.subarray(0, random.between(0, body.length)) : body;
}

const cut = (bytes: Buffer, random: Random): Buffer[] => {
  const at = random.between(0, bytes.length);
  return random.chance(0.6) ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)];
};

/** As chunks of random sizes; now and then the size of one is wrong or no number. */
function chunked(body: Buffer, random: Random): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const piece = body.subarray(at, at + random.between(1, 40_000));
    at += piece.length;
    const size = random.chance(0.02)
      ? random.pick(['zz', '-1', 'ffffffffffffffff', ''])
      : piece.length.toString(16);
    pieces.push(Buffer.from(`${size}\r\n`), piece, Buffer.from('\r\n'));
  }
  return Buffer.concat([...pieces, Buffer.from(random.chance(0.9) ? '0\r\n\r\n' : '')]);
}

const boundaries = ['; boundary="b"', '; boundary=', '', `; boundary=${'b'.repeat(100)}`];

function someRequest(random: Random): RawRequest {
  const body = bodyOf(random);
  const asChunks = random.chance(0.4);
  const length = body.length + (random.chance(0.15) ? random.between(-20, 20) : 0);
  const head = [
    'POST /v1/uploads HTTP/1.1',
    'Host: 127.0.0.1',
    `Content-Type: multipart/form-data${random.chance(0.85) ? '; boundary=b' : random.pick(boundaries)}`,
    asChunks ? 'Transfer-Encoding: chunked' : `Content-Length: ${Math.max(0, length)}`,
    'Connection: close',
  ].join('\r\n');
  return {
    pieces: [Buffer.from(`${head}\r\n\r\n`), ...cut(asChunks ? chunked(body, random) : body, random)],
    afterwards: random.weighted({ wait: 6, end: 3, reset: 1 }),
  };
}

describeWithServices(['postgres', 'redis'], `multipart bodies of any kind (FUZZ_SEED=${seed})`, () => {
  let sluice: Awaited<ReturnType<typeof startSluice>>;
  beforeAll(async () => {
    sluice = await startSluice('services', {
      UPLOAD_MAX_BYTES: '262144',
      UPLOAD_MAX_FILES: '3',
      UPLOAD_TIMEOUT_SECONDS: '5',
    });
  });
  afterAll(() => sluice?.[Symbol.asyncDispose]());

  /** Rows that belong to nothing that was accepted. */
  async function leftovers(): Promise<unknown> {
    await using pool = createPool({
      connectionString: sluice.environment.DATABASE_URL as string,
      size: 1,
      maxOverflow: 0,
    });
    const { rows } = await pool.query(
      `select (select count(*)::int from sluice.uploads where state not in ('ready', 'failed', 'superseded')) as unfinished,
         (select count(*)::int from sluice.upload_parts) as parts,
         (select count(*)::int from sluice.documents d
           where not exists (select from sluice.uploads u where u.document_id = d.id)) as documents`,
    );
    return rows[0];
  }

  test('get an answer that fits, leave nothing, and hurt nobody else', { timeout: 180_000 }, async () => {
    const statuses = new Map<string, number>();
    const answerTo = async (round: number) => {
      const request = someRequest(createRandom(seed, `round ${round}`));
      const answer = await sendRaw(sluice.url, request, patienceMs).catch((error: Error) => {
        throw new Error(`FUZZ_SEED=${seed}, round ${round}`, { cause: error });
      });
      const status = /^HTTP\/1\.1 (\d+)/m.exec(answer)?.[1] ?? 'closed';
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      // Only who has closed their side of the line may be left without an answer: Node gives up their request.
      if (status === 'closed') expect(request.afterwards, `round ${round}`).not.toBe('wait');
      else
        expect(
          ['202', '400', '404', '408', '413', '415', '422', '431'],
          `round ${round}: ${answer}`,
        ).toContain(status);
    };
    let next = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (next < rounds) await answerTo(next++);
      }),
    );
    expect(statuses.get('202')).toBeGreaterThan(rounds / 20);
    expect(statuses.get('400')).toBeGreaterThan(rounds / 20);
    expect((await createClient(sluice.url).upload('after.txt', 'still alive')).state).toBe('ready');
    await expect.poll(leftovers, { timeout: 30_000 }).toEqual({ unfinished: 0, parts: 0, documents: 0 });
  });
});
