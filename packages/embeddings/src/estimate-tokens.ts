/**
 * Tokens that a text costs, where the caller has not counted them. Rather too many than too few, since the provider refuses a
 * request over its limit: byte-pair vocabularies need about a token for four bytes of English and for two and a half to three
 * bytes of Vietnamese in UTF-8.
 */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 2.5) + 1;
}
