import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

// Its --max-client-batch-size by default.
const maxTeiTexts = 32;

/** What it does with the next requests. */
export type RerankServerFault =
  | 'none'
  | 'status 429'
  | 'status 500'
  | 'slow'
  | 'cut off'
  | 'not json'
  | 'too large'
  | 'no list'
  | 'wrong index'
  | 'doubled index'
  | 'missing index'
  | 'no number'
  | 'redirect';

export interface RerankServer extends AsyncDisposable {
  url: string;
  /** Bodies as they came. */
  requests: { query: string; texts: string[]; model: unknown; authorization: string | undefined }[];
  fault: RerankServerFault;
}

/**
 * Scores a text by how often it has the words of the query: a real server that speaks the formats of re-rankers, gives texts back as
 * vLLM does, and refuses what Text Embeddings Inference refuses.
 */
export async function startRerankServer(format: 'cohere' | 'tei'): Promise<RerankServer> {
  const scoreOf = (query: string, candidate: string) =>
    query.split(' ').reduce((sum, word) => sum + candidate.split(word).length - 1, 0);

  function results(query: string, texts: string[]) {
    const scored = texts.map((one, index) => {
      const score = scoreOf(query, one);
      return format === 'tei' ? { index, score } : { index, relevance_score: score, document: { text: one } };
    });
    // As the services do: best first.
    const value = (one: { score?: number; relevance_score?: number }) =>
      one.score ?? one.relevance_score ?? 0;
    return scored.sort((a, b) => value(b) - value(a));
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await text(request));
    const texts: string[] = format === 'tei' ? body.texts : body.documents;
    const { authorization } = request.headers;
    self.requests.push({ query: body.query, texts, model: body.model, authorization });
    const { fault } = self;
    if (format === 'tei' && texts.length > maxTeiTexts) return void response.writeHead(413).end();
    if (![body.query, ...texts].every((one) => one.isWellFormed())) return void response.writeHead(422).end();
    if (fault.startsWith('status'))
      return void response.writeHead(Number(fault.slice(7))).end('{"secret":"no"}');
    if (fault === 'slow') return;
    if (fault === 'redirect') return void response.writeHead(307, { location: '/elsewhere' }).end();
    const list: Record<string, unknown>[] = results(body.query, texts);
    if (fault === 'wrong index' && list[0]) list[0].index = texts.length;
    if (fault === 'doubled index' && list[0] && list[1]) list[1].index = list[0].index;
    if (fault === 'missing index') list.pop();
    if (fault === 'no number' && list[0]) list[0][format === 'tei' ? 'score' : 'relevance_score'] = null;
    const whole = format === 'tei' ? list : { id: 'x', results: list };
    const sent = JSON.stringify(fault === 'no list' ? { detail: 'hello' } : whole);
    response.setHeader('content-type', 'application/json');
    if (fault === 'cut off') {
      response.write(sent.slice(0, sent.length / 2));
      return void setTimeout(() => response.destroy(), 10);
    }
    if (fault === 'not json') return void response.end('<html>');
    if (fault === 'too large') return void response.end(JSON.stringify({ padding: 'x'.repeat(2_000_000) }));
    response.end(sent);
  }

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const self: RerankServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/rerank`,
    requests: [],
    fault: 'none',
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
  return self;
}
