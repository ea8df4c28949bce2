import cors from 'cors';
import type { RequestHandler } from 'express';

const preflightSeconds = 600;

/** Lets pages of these origins use the API from a browser. They send a key of their own: cookies play no part. */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  return cors({
    origin: [...origins],
    exposedHeaders: [
      'ETag',
      'Idempotent-Replayed',
      'Location',
      'RateLimit',
      'RateLimit-Policy',
      'Retry-After',
      'X-Request-Id',
    ],
    maxAge: preflightSeconds,
  });
}
