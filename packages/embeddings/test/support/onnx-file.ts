// The few messages of onnx.proto that a small model needs: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
const FLOAT = 1;
const INT64 = 7;

export interface TensorInfo {
  name: string;
  type: 'float' | 'int64';
  /** A name stands for a length that differs from run to run. */
  dims: readonly (number | string)[];
}

export interface OnnxGraph {
  nodes: readonly {
    op: string;
    inputs: readonly string[];
    outputs: readonly string[];
    attributes?: Readonly<Record<string, readonly number[] | number>>;
  }[];
  weights: readonly { name: string; dims: readonly number[]; values: readonly number[] }[];
  inputs: readonly TensorInfo[];
  outputs: readonly TensorInfo[];
}

/** A `ModelProto` of one graph. */
export function onnxFile({ nodes, weights, inputs, outputs }: OnnxGraph): Buffer {
  const graph = Buffer.concat([
    ...nodes.map(({ op, inputs: from, outputs: to, attributes = {} }) =>
      message(1, [
        ...texts(1, from),
        ...texts(2, to),
        text(4, op),
        ...Object.entries(attributes).map(attribute),
      ]),
    ),
    text(2, 'graph'),
    ...weights.map(({ name, dims, values }) => {
      const data = Buffer.from(Float32Array.from(values).buffer);
      return message(5, [
        ...dims.map((dim) => integer(1, dim)),
        integer(2, FLOAT),
        text(8, name),
        bytes(9, data),
      ]);
    }),
    ...inputs.map((info) => tensorInfo(11, info)),
    ...outputs.map((info) => tensorInfo(12, info)),
  ]);
  const operators = message(8, [text(1, ''), integer(2, 13)]);
  return Buffer.concat([integer(1, 8), bytes(7, graph), operators]);
}

function tensorInfo(field: number, { name, type, dims }: TensorInfo): Buffer {
  const shape = dims.map((dim) => message(1, [typeof dim === 'number' ? integer(1, dim) : text(2, dim)]));
  const tensor = message(1, [integer(1, type === 'float' ? FLOAT : INT64), message(2, shape)]);
  return message(field, [text(1, name), message(2, [tensor])]);
}

function attribute([name, value]: [string, readonly number[] | number]): Buffer {
  const content =
    typeof value === 'number'
      ? [integer(3, value), integer(20, 2)]
      : [...value.map((each) => integer(8, each)), integer(20, 7)];
  return message(5, [text(1, name), ...content]);
}

function message(field: number, parts: readonly Buffer[]): Buffer {
  return bytes(field, Buffer.concat(parts));
}

function texts(field: number, values: readonly string[]): Buffer[] {
  return values.map((value) => text(field, value));
}

function text(field: number, value: string): Buffer {
  return bytes(field, Buffer.from(value));
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const result: number[] = [];
  let rest = value;
  while (rest > 127) {
    result.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...result, rest]);
}
