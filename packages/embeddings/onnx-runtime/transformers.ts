/** What is used of `@huggingface/transformers`. Its own types are there only where it is installed. */
export interface Transformers {
  readonly env: Record<string, unknown>;
  readonly LogLevel: { readonly NONE: number };
  readonly AutoTokenizer: {
    from_pretrained(name: string, options: { local_files_only: true }): Promise<PretrainedTokenizer>;
  };
  readonly AutoModel: {
    from_pretrained(name: string, options: ModelOptions): Promise<PretrainedModel>;
  };
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: number[]) => Tensor;
}

interface ModelOptions {
  local_files_only: true;
  device: 'cpu';
  dtype: string;
  subfolder: string;
  session_options: { intraOpNumThreads?: number };
}

export interface PretrainedTokenizer {
  (text: string, options: { return_tensor: false }): { input_ids: number[] };
  readonly pad_token_id: number | undefined;
  readonly model_max_length: number;
}

export type PretrainedModel = (inputs: {
  input_ids: Tensor;
  attention_mask: Tensor;
}) => Promise<Record<string, Tensor | undefined>>;

export interface Tensor {
  readonly dims: readonly number[];
  to(type: 'float32'): { readonly data: Float32Array };
}

// A variable, since the compiler would look for the package otherwise.
const packageName: string = '@huggingface/transformers';

/** Stands in this folder because Node looks for a package from the file that imports it, and this is where it is installed. */
export async function importTransformers(): Promise<Transformers> {
  return await import(packageName);
}
