/** The answer of the server to one exchange, taken apart into what the session's owner needs to know. */
export interface BackendAnswer {
  /** Everything but notifications. */
  bytes: Buffer;
  notifications: { channel: string; bytes: Buffer }[];
  /** Transaction status of the last ReadyForQuery: idle, in a transaction, or in a failed one. */
  status: 'I' | 'T' | 'E' | undefined;
}

export function readAnswer(raw: Buffer): BackendAnswer {
  const kept: Buffer[] = [];
  const notifications: BackendAnswer['notifications'] = [];
  let status: BackendAnswer['status'];
  for (let offset = 0; offset < raw.length; ) {
    const end = offset + 1 + raw.readInt32BE(offset + 1);
    const bytes = raw.subarray(offset, end);
    const type = String.fromCharCode(raw[offset] as number);
    if (type === 'A')
      notifications.push({ channel: raw.toString('utf8', offset + 9, raw.indexOf(0, offset + 9)), bytes });
    else kept.push(bytes);
    if (type === 'Z') status = String.fromCharCode(raw[offset + 5] as number) as BackendAnswer['status'];
    offset = end;
  }
  return { bytes: Buffer.concat(kept), notifications, status };
}

/** An ErrorResponse and the ReadyForQuery after it. */
export function errorAnswer(sqlState: string, message: string): Buffer {
  const fields = Buffer.from(`SERROR\0VERROR\0C${sqlState}\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields, Buffer.from([0x5a, 0, 0, 0, 5, 0x49])]);
}
