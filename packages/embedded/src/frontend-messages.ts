/**
 * Framing of what a client sends (PostgreSQL protocol 3.0): the first packet has no type byte; later messages are a type
 * byte and a length that counts itself. https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export const sslRequest = 80_877_103;
export const gssRequest = 80_877_104;
export const cancelRequest = 80_877_102;

export interface FrontendMessage {
  /** `startup` for packets before the session, else the type byte as a character. */
  type: string;
  bytes: Buffer;
}

// A document's rows travel in statements of a few MiB; anything near this is not a client of ours.
const maxMessageBytes = 256 * 1_048_576;

export interface MessageReader {
  /** Complete messages so far, in order. Throws RangeError on an impossible length. */
  push(data: Buffer): FrontendMessage[];
}

export function createMessageReader(): MessageReader {
  let chunks: Buffer[] = [];
  let buffered = 0;
  let started = false;

  function need(): number | undefined {
    const headBytes = started ? 5 : 4;
    if (buffered < headBytes) return undefined;
    if ((chunks[0] as Buffer).length < headBytes) chunks = [Buffer.concat(chunks)];
    const head = chunks[0] as Buffer;
    const length = started ? head.readInt32BE(1) + 1 : head.readInt32BE(0);
    if (length < (started ? 5 : 8) || length > maxMessageBytes)
      throw new RangeError(`message of ${length} bytes`);
    return length;
  }

  return {
    push(data) {
      chunks.push(data);
      buffered += data.length;
      const messages: FrontendMessage[] = [];
      for (let length = need(); length !== undefined && buffered >= length; length = need()) {
        // Joined once a message is complete: joining on every packet would copy a large one over and over.
        const all = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
        const bytes = all.subarray(0, length);
        chunks = length < all.length ? [all.subarray(length)] : [];
        buffered -= length;
        messages.push({ type: started ? String.fromCharCode(bytes[0] as number) : 'startup', bytes });
        if (!started) started = ![sslRequest, gssRequest].includes(bytes.readInt32BE(4));
      }
      return messages;
    },
  };
}

/** The SQL of a simple Query or a Parse message. */
export function sqlOf({ type, bytes }: FrontendMessage): string | undefined {
  if (type === 'Q') return bytes.toString('utf8', 5, bytes.length - 1);
  if (type !== 'P') return undefined;
  const nameEnd = bytes.indexOf(0, 5);
  return bytes.toString('utf8', nameEnd + 1, bytes.indexOf(0, nameEnd + 1));
}
