import { createHash, randomInt } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const idLength = 12;
// 62^43 > 2^256.
const secretLength = 43;
const pattern = new RegExp(`^slu_([0-9A-Za-z]{${idLength}})_[0-9A-Za-z]{${secretLength}}$`);

const randomText = (length: number) =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');

/** A key as its holder sends it, `slu_ID_SECRET`, and what is kept of it. */
export interface MadeApiKey {
  id: string;
  key: string;
  hash: Buffer;
}

export function makeApiKey(id: string = randomText(idLength)): MadeApiKey {
  const key = `slu_${id}_${randomText(secretLength)}`;
  return { id, key, hash: hashApiKey(key) };
}

/**
 * SHA-256 and no slow hash: a secret of 256 random bits cannot be guessed however fast the guesses are, and this is computed for every
 * request.
 */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** The id in a key, undefined for what has not the form of one. */
export function apiKeyIdOf(key: string): string | undefined {
  return pattern.exec(key)?.[1];
}

/** What of a key may be shown: enough to tell which one it is. */
export function apiKeyPrefix(id: string): string {
  return `slu_${id}`;
}
