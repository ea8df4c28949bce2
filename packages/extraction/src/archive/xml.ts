import { TextDecoder } from 'node:util';
import { SaxesParser } from 'saxes';
import { ExtractionError } from '../errors.ts';
import type { ZipArchive } from './zip-archive.ts';

export type Attributes = Readonly<Record<string, string>>;

/** Element names come without their prefix. */
export interface XmlHandlers {
  open?(name: string, attributes: Attributes): void;
  close?(name: string): void;
  text?(text: string): void;
}

const deepest = 512;
/** An XML declaration and its encoding fit into this; UTF-16 announces itself by a byte order mark. */
const declaration = /^<\?xml[^>]*encoding=["']([\w.:-]+)["']/;

/**
 * Parses a part of an archive as a stream; yields once for every piece of input, so that a caller can pass on what its
 * handlers collected. Entities that a document declares itself are never expanded: using one is an error.
 */
export async function* parseXml(
  archive: ZipArchive,
  part: string,
  handlers: XmlHandlers,
): AsyncGenerator<void> {
  const parser = new SaxesParser({ xmlns: false, position: true });
  let depth = 0;
  parser.on('error', (error) => {
    const reason = error.message.replace(/^undefined:/, '');
    throw new ExtractionError('broken_document', `${part} is not well-formed XML: ${reason}`, {
      details: { entry: part },
    });
  });
  parser.on('opentag', ({ name, attributes }) => {
    depth += 1;
    if (depth > deepest) throw new ExtractionError('broken_document', `${part} is nested too deeply.`);
    handlers.open?.(localName(name), attributes as Attributes);
  });
  parser.on('closetag', ({ name }) => {
    depth -= 1;
    handlers.close?.(localName(name));
  });
  parser.on('text', (text) => handlers.text?.(text));
  parser.on('cdata', (text) => handlers.text?.(text));

  let decoder: TextDecoder | null = null;
  for await (const bytes of archive.read(part)) {
    decoder ??= decoderFor(bytes);
    parser.write(decoder.decode(bytes, { stream: true }));
    yield;
  }
  parser.write(decoder?.decode() ?? '');
  parser.close();
  yield;
}

/** `parseXml` for parts that are small and needed whole, such as styles and relations. */
export async function parseWholeXml(archive: ZipArchive, part: string, handlers: XmlHandlers): Promise<void> {
  for await (const _ of parseXml(archive, part, handlers));
}

/** An attribute by its name without prefix. */
export function attribute(attributes: Attributes, name: string): string | null {
  const plain = attributes[name];
  if (plain !== undefined) return plain;
  for (const key in attributes) if (key.endsWith(`:${name}`)) return attributes[key] ?? null;
  return null;
}

/** An attribute that has a prefix, whichever: `r:id` beside `id`. */
export function prefixedAttribute(attributes: Attributes, name: string): string | null {
  for (const key in attributes) if (key.endsWith(`:${name}`)) return attributes[key] ?? null;
  return null;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function decoderFor(bytes: Uint8Array): TextDecoder {
  const start = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
  if (start.startsWith('\xff\xfe') || start.startsWith('<\0')) return new TextDecoder('utf-16le');
  if (start.startsWith('\xfe\xff') || start.startsWith('\0<')) return new TextDecoder('utf-16be');
  try {
    return new TextDecoder(declaration.exec(start)?.[1] ?? 'utf-8');
  } catch {
    return new TextDecoder('utf-8');
  }
}
