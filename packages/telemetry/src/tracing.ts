import type { Attributes } from '@opentelemetry/api';
import { context, propagation, trace } from '@opentelemetry/api';

export interface TracingOptions {
  service: 'gateway' | 'worker';
  version: string;
  /** Of an OTLP/HTTP receiver, without `/v1/traces`. */
  endpoint: string;
  headers: Readonly<Record<string, string>>;
  /** Of the traces that begin here, 0 to 1. Those that began elsewhere are decided on there. */
  ratio: number;
}

/** Sends what is left when it is disposed of. */
export type Tracing = AsyncDisposable;

/**
 * Spans of this process go to a receiver from now on. One at a time in a process: OpenTelemetry's API is one for all. The SDK is loaded here and
 * only here, so that it costs nothing where nobody asks for traces.
 */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { startSdk } = await import('./tracing-sdk.ts');
  return startSdk(options);
}

/** The ids under which a line of the log and a span find each other; empty without a trace. */
export function traceIds(): { trace_id?: string; span_id?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** The trace under way, as W3C Trace Context writes it. */
export function currentTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/** Says more of the span under way, if there is one. */
export function annotateSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** Runs later as part of the trace that is under way now. */
export function inTrace<A extends unknown[]>(listener: (...args: A) => void): (...args: A) => void {
  return context.bind(context.active(), listener);
}
