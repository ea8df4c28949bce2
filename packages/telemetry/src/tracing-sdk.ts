import { setTimeout as sleep } from 'node:timers/promises';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Tracing, TracingOptions } from './tracing.ts';

const exportTimeoutMs = 5_000;
const shutdownTimeoutMs = 2_000;
const scheduledDelayMillis = 1_000;

/** A queue that looks for jobs and renews locks is nobody's request. */
function startOfRequests(ratio: number): Sampler {
  const sampler = new TraceIdRatioBasedSampler(ratio);
  return {
    shouldSample(active, traceId, _name, kind) {
      if (kind === SpanKind.INTERNAL) return { decision: SamplingDecision.NOT_RECORD };
      return sampler.shouldSample(active, traceId);
    },
    toString: () => `RequestsOnly{${sampler.toString()}}`,
  };
}

export function startSdk({ service, version, endpoint, headers, ratio }: TracingOptions): Tracing {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    headers: { ...headers },
    timeoutMillis: exportTimeoutMs,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.namespace': 'sluice',
      'service.name': `sluice-${service}`,
      'service.version': version,
    }),
    sampler: new ParentBasedSampler({ root: startOfRequests(ratio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis })],
  });
  const contexts = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(contexts);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    async [Symbol.asyncDispose]() {
      // A receiver that is away must not hold up a stop.
      await Promise.race([
        provider.shutdown().catch(() => {}),
        sleep(shutdownTimeoutMs, undefined, { ref: false }),
      ]);
      trace.disable();
      propagation.disable();
      context.disable();
    },
  };
}
