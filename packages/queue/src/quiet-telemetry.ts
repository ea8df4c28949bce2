import type { Telemetry } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';

type Span = ReturnType<Telemetry['tracer']['startSpan']>;

function quiet(span: Span): Span {
  return {
    setSpanOnContext: (active) => span.setSpanOnContext(active),
    setAttribute: (key, value) => span.setAttribute(key, value),
    setAttributes: (attributes) => span.setAttributes(attributes),
    addEvent: (name) => span.addEvent(name),
    recordException(exception) {
      const { name, code } = typeof exception === 'string' ? { name: 'Error' } : exception;
      span.setAttribute('error.type', String(code ?? name ?? 'Error'));
    },
    end: () => span.end(),
  };
}

/**
 * BullMQ's spans, in the trace of whoever added the job: it takes the trace along in its options. Without the messages of errors, which may
 * quote a document.
 */
export function createTelemetry(): Telemetry {
  const telemetry = new BullMQOtel({ tracerName: 'bullmq' });
  return {
    contextManager: telemetry.contextManager,
    tracer: { startSpan: (...args) => quiet(telemetry.tracer.startSpan(...args)) },
  };
}
