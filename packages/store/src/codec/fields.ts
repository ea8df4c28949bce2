/** Encoders of single fields in Postgres' binary format (the `*_recv` functions of each type). */

export function encodeText(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}

export function encodeInt4(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32BE(value);
  return buffer;
}

/** `value`: canonical form with dashes. */
export function encodeUuid(value: string): Buffer {
  return Buffer.from(value.replaceAll('-', ''), 'hex');
}

export function encodeJsonb(value: unknown): Buffer {
  return Buffer.concat([Buffer.from([1]), Buffer.from(JSON.stringify(value), 'utf8')]);
}

const textOid = 25;

export function encodeTextArray(values: readonly string[]): Buffer {
  const header = Buffer.alloc(values.length === 0 ? 12 : 20);
  header.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  header.writeInt32BE(textOid, 8);
  if (values.length > 0) {
    header.writeInt32BE(values.length, 12);
    header.writeInt32BE(1, 16);
  }
  const items = values.flatMap((value) => {
    const bytes = encodeText(value);
    return [encodeInt4(bytes.length), bytes];
  });
  return Buffer.concat([header, ...items]);
}
