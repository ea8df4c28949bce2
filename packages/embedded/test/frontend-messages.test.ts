import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMessageReader, type FrontendMessage, sqlOf } from '../src/frontend-messages.ts';
import { queryMessage, startupMessage } from './support/wire-client.ts';

const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

const message = fc
  .tuple(fc.constantFrom(...'QPBESHCDdfX'), fc.uint8Array({ maxLength: 300 }))
  .map(([type, body]) => {
    const head = Buffer.alloc(5);
    head.write(type);
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  });

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

describe('the reader of client messages', () => {
  test('finds the same messages however the stream is split', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(message, { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        (asksForSsl, later, cuts) => {
          const sent = [...(asksForSsl ? [sslRequest] : []), startupMessage(), ...later];
          const reader = createMessageReader();
          const read: FrontendMessage[] = [];
          for (const packet of split(Buffer.concat(sent), cuts)) read.push(...reader.push(packet));
          expect(read.map(({ bytes }) => bytes)).toEqual(sent);
          const types = read.map(({ type }) => type);
          const before = asksForSsl ? 2 : 1;
          expect(types.slice(0, before)).toEqual(Array.from({ length: before }, () => 'startup'));
          expect(types.slice(before)).toEqual(later.map((bytes) => String.fromCharCode(bytes[0] as number)));
        },
      ),
    );
  });

  test('finds them byte by byte', () => {
    const sent = [startupMessage(), queryMessage('select 1'), queryMessage('select 2')];
    const reader = createMessageReader();
    const read = [...Buffer.concat(sent)].flatMap((byte) => reader.push(Buffer.of(byte)));
    expect(read.map(({ bytes }) => bytes)).toEqual(sent);
    expect(read.map(sqlOf)).toEqual([undefined, 'select 1', 'select 2']);
  });

  test.each([
    [0, 0, 0, 3],
    [0x7f, 0xff, 0xff, 0xff],
    [0xff, 0xff, 0xff, 0xff],
  ])('throws on an impossible length (%i %i %i %i)', (...head) => {
    expect(() => createMessageReader().push(Buffer.from(head))).toThrow(RangeError);
    const started = createMessageReader();
    started.push(startupMessage());
    expect(() => started.push(Buffer.from([0x51, ...head]))).toThrow(RangeError);
  });
});
