import { Parser } from 'htmlparser2';
import type { Block } from '../block.ts';
import { ExtractionError } from '../errors.ts';
import { cleanLine } from '../text/clean-text.ts';
import { createMarkupText } from './markup-text.ts';

/** Turns HTML, fed piece by piece, into blocks. */
export interface MarkupReader {
  write(text: string): Block[];
  end(): Block[];
  /** Of `<title>`, or else of the first `<h1>`. */
  title(): string | null;
  metadata(): Record<string, string>;
}

const words = (list: string) => new Set(list.split(' '));
/** Forms are not among these: many a site wraps its whole page in one. */
const hidden = words(
  'title script style noscript template svg math canvas iframe object nav select button textarea dialog',
);
const empty = words('area base br col embed hr img input link meta source track wbr');

/** The parser moves its whole stack for each element. Pages that never close what they open stay far below. */
const deepest = 10_000;

const metaNames: Record<string, string> = {
  author: 'author',
  description: 'description',
  keywords: 'keywords',
  'dcterms.creator': 'author',
  'dc.creator': 'author',
};

/**
 * Left out: scripts, styles, form fields, navigation and what is hidden.
 * @param options.xhtml For XHTML, where `<script/>` is a whole element.
 */
export function createMarkupReader(options: { xhtml?: boolean } = {}): MarkupReader {
  const content = createMarkupText();
  const metadata: Record<string, string> = {};
  /** The hidden element that the parser is in, and the elements open inside of it. */
  const skipped: string[] = [];
  let title = '';
  let inTitle = false;
  let depth = 0;

  function readMeta(attributes: Record<string, string>): void {
    const key = metaNames[(attributes.name ?? attributes.property ?? '').toLowerCase()];
    const value = cleanLine(attributes.content ?? '').slice(0, 1000);
    if (key !== undefined && value !== '') metadata[key] ??= value;
  }

  const parser = new Parser(
    {
      onopentag(name, attributes) {
        depth += 1;
        if (depth > deepest) throw new ExtractionError('broken_document', 'The markup is nested too deeply.');
        if (name === 'title') inTitle = title === '' && skipped.length === 0;
        if (skipped.length > 0 || isHidden(name, attributes)) {
          if (!empty.has(name)) skipped.push(name);
        } else if (name === 'meta') readMeta(attributes);
        else content.open(name, attributes.alt ?? '');
      },
      ontext(text) {
        if (inTitle) title += text;
        if (skipped.length === 0) content.text(text);
      },
      onclosetag(name) {
        depth -= 1;
        if (name === 'title') inTitle = false;
        if (skipped.length === 0) content.close(name);
        else if (skipped.at(-1) === name) skipped.pop();
      },
    },
    { decodeEntities: true, recognizeSelfClosing: options.xhtml ?? false },
  );

  return {
    write(text) {
      parser.write(text);
      return content.take();
    },
    end() {
      parser.end();
      content.end();
      return content.take();
    },
    title: () => cleanLine(title) || content.firstHeading(),
    metadata: () => metadata,
  };
}

function isHidden(name: string, attributes: Record<string, string>): boolean {
  if (hidden.has(name) || 'hidden' in attributes || attributes['aria-hidden'] === 'true') return true;
  return attributes.role === 'navigation' || /display\s*:\s*none/i.test(attributes.style ?? '');
}
