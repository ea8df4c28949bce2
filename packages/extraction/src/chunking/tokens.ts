import { countTokens as count } from 'gpt-tokenizer/encoding/cl100k_base';

/** Text such as `<|endoftext|>` in a document is text, not an instruction to the tokenizer. */
const plain = { disallowedSpecial: new Set<string>() };

/** Tokens of a text in `cl100k_base`, the encoding of OpenAI's embedding models. */
export function countTokens(text: string): number {
  return count(text, plain);
}
