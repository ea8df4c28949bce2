import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startAnswering } from './support/answering-server.ts';
import { temporaryFolder } from './support/folder.ts';
import { runSluice } from './support/sluice.ts';

const upload = (state: string) => ({
  id: '0198c0de-0000-7000-8000-000000000000',
  status_url: '/v1/uploads/1',
  events_url: '/v1/uploads/1/events',
  state,
  stage: state === 'ready' ? 'done' : 'embedding',
  progress: { done: 3, total: 3 },
  attempts: 1,
  error: null,
  name: 'a.txt',
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const json = (body: object, status = 200): Answer => {
  return (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

/** Uploads one file to a server whose answers by path are given, each the next one of its list, the last one for ever. */
async function uploadTo(routes: Record<string, Answer[]>) {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.txt');
  await writeFile(file, 'text');
  const seen: string[] = [];
  await using server = await startAnswering((request, response) => {
    const path = request.url as string;
    seen.push(path);
    const answers = routes[path] ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    request.resume().on('end', () => answer?.(request, response));
  });
  const ended = await runSluice(['upload', file, '--url', server.url, '--json']);
  return { ...ended, seen };
}

const accepted = json({ uploads: [upload('queued')] }, 202);

describe('following an upload', () => {
  it('goes on by polling when the event stream is cut off', async () => {
    const { code, stdout, stderr, seen } = await uploadTo({
      '/v1/uploads': [accepted],
      '/v1/uploads/1/events': [
        (_, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          response.write(`event: status\ndata: ${JSON.stringify(upload('processing'))}\n\n`);
          setTimeout(() => response.destroy(), 50);
        },
      ],
      '/v1/uploads/1': [json(upload('processing')), json({ detail: 'busy' }, 503), json(upload('ready'))],
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'ready' });
    expect(seen.filter((path) => path === '/v1/uploads/1')).toHaveLength(3);
  });

  it('polls when a proxy knows no event streams', async () => {
    const { code } = await uploadTo({
      '/v1/uploads': [accepted],
      '/v1/uploads/1/events': [json({ detail: 'Bad gateway' }, 502)],
      '/v1/uploads/1': [json(upload('ready'))],
    });
    expect(code).toBe(0);
  });

  it('sends the file again to a server that was busy, after the time that it asked for', async () => {
    const busy: Answer = (_, response) =>
      response
        .writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' })
        .end(JSON.stringify({ code: 'database_unavailable', detail: 'no connection was free' }));
    const start = Date.now();
    const { code, seen } = await uploadTo({
      '/v1/uploads': [busy, json({ uploads: [upload('ready')] }, 202)],
    });
    expect(code).toBe(0);
    expect(seen).toEqual(['/v1/uploads', '/v1/uploads']);
    expect(Date.now() - start).toBeGreaterThan(1_000);
  });

  it('says that an upload was deleted meanwhile', async () => {
    const { code, stdout } = await uploadTo({
      '/v1/uploads': [accepted],
      '/v1/uploads/1/events': [
        (_, response) =>
          response
            .writeHead(200, { 'content-type': 'text/event-stream' })
            .end('event: deleted\ndata: {}\n\n'),
      ],
    });
    expect(code).toBe(1);
    expect(stdout).toContain('deleted before it was done');
  });
});
