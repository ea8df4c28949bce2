import type { z } from 'zod';
import { HttpProblem } from './http-problem.ts';

/** JSON pointer (RFC 6901) of an issue's path. */
function pointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function givenAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current: unknown = value;
  for (const key of path) current = (current as Record<PropertyKey, unknown> | null | undefined)?.[key];
  try {
    return (JSON.stringify(current)?.length ?? Number.POSITIVE_INFINITY) <= 200 ? current : undefined;
  } catch (error) {
    // Nested deeper than the stack reaches.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The value as the schema has it. Throws `invalid_request` that says where, what was given and what was expected. */
export function validate<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.slice(0, 20).map((issue) => {
    const given = givenAt(value, issue.path);
    return { path: pointer(issue.path), message: issue.message, ...(given !== undefined && { given }) };
  });
  const [first] = errors;
  throw new HttpProblem('invalid_request', `${first?.path || 'the request'}: ${first?.message}`, { errors });
}

/** Ids of another form cannot exist, so they are not looked up. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}
