import type { PretrainedTokenizer } from '../../onnx-runtime/transformers.ts';

export interface Tokenizer {
  /** @returns ids with the special tokens around them, at most the model's maximum and at least one */
  encode(text: string): number[];
  readonly padId: number;
}

/**
 * The package cuts a long text at its very end, which loses the final special token that the model was trained with. Cutting
 * here keeps it, as the original tokenizers do.
 */
export function createTokenizer(pretrained: PretrainedTokenizer, maxTokens: number | undefined): Tokenizer {
  const idsOf = (text: string) => pretrained(text, { return_tensor: false }).input_ids;
  const most = Math.max(1, Math.min(maxTokens ?? Number.POSITIVE_INFINITY, pretrained.model_max_length));
  const suffix = suffixOf(idsOf(''), idsOf('a'));
  const padId = pretrained.pad_token_id ?? 0;

  return {
    padId,
    encode(text) {
      const ids = idsOf(text);
      if (ids.length === 0) return [padId];
      if (ids.length <= most) return ids;
      return [...ids.slice(0, Math.max(0, most - suffix.length)), ...suffix].slice(0, most);
    },
  };
}

/** Special tokens that come after a text: those of the empty text that do not come before one. */
function suffixOf(empty: readonly number[], other: readonly number[]): readonly number[] {
  let prefix = 0;
  while (prefix < empty.length && empty[prefix] === other[prefix]) prefix += 1;
  return empty.slice(prefix);
}
