import { z } from 'zod';

export const readinessSchema = z
  .object({
    ready: z.boolean(),
    checks: z.record(
      z.string(),
      z.object({ ok: z.boolean(), latency_ms: z.number(), detail: z.string().optional() }),
    ),
  })
  .meta({ id: 'Readiness', description: 'Names each dependency and what is wrong with it' });

export type Readiness = z.output<typeof readinessSchema>;
