import { z } from 'zod';

const auditEntrySchema = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    action: z.string().describe('`key.create`, `collection.delete` and so on'),
    target: z.string().nullable().describe('Id or name of what it was done to'),
    details: z.record(z.string(), z.unknown()),
    key_id: z.string().nullable().describe('Of the key that was sent; null where none was asked for'),
    key_name: z.string(),
    address: z.string().nullable().describe('Where the request came from'),
    request_id: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });

export const auditListSchema = z
  .object({ entries: z.array(auditEntrySchema), next_cursor: z.string().nullable() })
  .meta({ id: 'AuditList' });

export const auditListQuerySchema = z.strictObject({
  action: z.string().max(100).optional(),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'expected the next_cursor of the page before')
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export type AuditEntryBody = z.output<typeof auditEntrySchema>;
