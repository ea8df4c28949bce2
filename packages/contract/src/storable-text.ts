import { z } from 'zod';

/** Rejects what Postgres text cannot hold. */
export const storableText = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine(
      (value) => !value.includes('\0') && value.isWellFormed(),
      'expected well-formed Unicode without NUL',
    );
