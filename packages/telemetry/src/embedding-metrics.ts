import { Counter, Histogram, type Registry } from 'prom-client';

export interface EmbeddingModel {
  provider: string;
  model: string;
}

export interface EmbeddingRequest {
  texts: number;
  tokens: number;
  durationMs: number;
  /** For a turn under the rate limits. */
  waitedMs: number;
  retry: boolean;
  error: { code: string } | undefined;
}

const buckets = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** To be told of each request to a provider. */
export function createEmbeddingMetrics(
  registry: Registry,
): (model: EmbeddingModel, request: EmbeddingRequest) => void {
  const registers = [registry];
  const labelNames = ['provider', 'model'];
  const duration = new Histogram({
    name: 'sluice_embedding_request_duration_seconds',
    help: 'Requests to the provider, by how they ended: ok, or the code of the error.',
    labelNames: [...labelNames, 'outcome'],
    buckets,
    registers,
  });
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers });
  const texts = counter('sluice_embedding_texts_total', 'Texts that got a vector.');
  const tokens = counter('sluice_embedding_tokens_total', 'Tokens of these texts, counted or estimated.');
  const retries = counter('sluice_embedding_retries_total', 'Requests for texts that had failed before.');
  const waits = counter(
    'sluice_embedding_rate_limit_wait_seconds_total',
    'Time that requests waited for a turn under the rate limits.',
  );
  return ({ provider, model }, request) => {
    const labels = { provider, model };
    duration.observe({ ...labels, outcome: request.error?.code ?? 'ok' }, request.durationMs / 1_000);
    waits.inc(labels, request.waitedMs / 1_000);
    retries.inc(labels, request.retry ? 1 : 0);
    if (request.error) return;
    texts.inc(labels, request.texts);
    tokens.inc(labels, request.tokens);
  };
}
