import type { Nodes, Parents, Root, Table, TableRow } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import type { Block, Findings, ReaderContext, Source } from '../block.ts';
import { cleanLine } from '../text/clean-text.ts';
import { decodeFile, linesOf } from '../text/decode.ts';
import { createMarkupReader } from './markup.ts';
import { joinRow } from './table.ts';

/** Parsing a list of 1 MiB at once takes 280 MB of heap, so long documents are parsed section by section. */
const sectionLength = 65_536;
/** A list without a blank line, or a long fence, is cut in two here, rather than held in memory. */
const longestSection = 4 * sectionLength;

/** Markdown with tables, task lists and footnotes (GFM): structure by mdast. Front matter becomes title and metadata. */
export async function* readMarkdown(source: Source, { findings }: ReaderContext): AsyncGenerator<Block> {
  for await (const section of sectionsOf(source, findings)) {
    const tree = fromMarkdown(section, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
    for (const block of blocksOf(tree)) {
      if (block.kind === 'heading' && block.level === 1) findings.title ??= cleanLine(block.text);
      yield block;
    }
  }
}

/** Nobody indents so far; lists of hundreds of levels take the parser minutes. */
const deepestIndent = /^[ \t]{65,}/;

/** Cuts at blank lines outside of fenced code, once a section is long enough. */
async function* sectionsOf(source: Source, findings: Findings): AsyncGenerator<string> {
  let section: string[] = [];
  let length = 0;
  let fence: string | null = null;
  let frontMatter: string[] | null = null;
  for await (const { text, number } of linesOf(decodeFile(source.path, source.charset), sectionLength)) {
    if (number === 1 && /^(---|\+\+\+)\s*$/.test(text)) {
      frontMatter = [text];
      continue;
    }
    if (frontMatter !== null) {
      if (text.trimEnd() === frontMatter[0]!.trimEnd() || text.trimEnd() === '...') {
        readFrontMatter(frontMatter.slice(1), findings);
        frontMatter = null;
      } else if (frontMatter.push(text) > 1000) {
        // Not front matter but a rule at the start of the text.
        section.push(...frontMatter);
        frontMatter = null;
      }
      continue;
    }
    const mark = /^ {0,3}(```+|~~~+)/.exec(text)?.[1] ?? null;
    if (mark !== null) fence = fence === null ? mark : text.trim().startsWith(fence) ? null : fence;
    const line = fence === null ? text.replace(deepestIndent, ' '.repeat(64)) : text;
    section.push(line);
    length += line.length + 1;
    if (length >= sectionLength && ((fence === null && text.trim() === '') || length >= longestSection)) {
      // A fence that goes on is closed and opened again, or its second half would be read as prose.
      const again = fence === null ? [] : [fence];
      yield [...section, ...again].join('\n');
      section = again;
      length = 0;
    }
  }
  if (frontMatter !== null) section.push(...frontMatter);
  if (section.length > 0) yield section.join('\n');
}

/** The simple pairs of YAML and TOML: enough for title, author, date and tags, without a parser that runs on any input. */
function readFrontMatter(lines: readonly string[], findings: Findings): void {
  for (const line of lines.slice(0, 100)) {
    const [, key, raw] = /^([A-Za-z][\w-]{0,63})\s*[:=]\s*(\S.*)$/.exec(line) ?? [];
    if (key === undefined || raw === undefined) continue;
    const value = cleanLine(raw.replace(/^(["'])(.*)\1\s*$/, '$2')).slice(0, 1000);
    if (key.toLowerCase() === 'title') findings.title = value;
    else if (value !== '') findings.metadata[key.toLowerCase()] = value;
  }
}

function* blocksOf(node: Root | Parents): Generator<Block> {
  for (const child of node.children as Nodes[]) {
    switch (child.type) {
      case 'heading':
        yield { kind: 'heading', level: child.depth, text: textOf(child) };
        break;
      case 'paragraph':
        yield { kind: 'paragraph', text: textOf(child) };
        break;
      case 'code':
        yield { kind: 'code', text: child.value };
        break;
      case 'listItem':
        yield* listItemBlocks(child);
        break;
      case 'table':
        yield* tableBlocks(child);
        break;
      case 'html':
        yield* htmlBlocks(child.value);
        break;
      case 'blockquote':
      case 'list':
      case 'footnoteDefinition':
        yield* blocksOf(child);
        break;
      default:
    }
  }
}

function* listItemBlocks(item: Extract<Nodes, { type: 'listItem' }>): Generator<Block> {
  for (const block of blocksOf(item))
    yield block.kind === 'paragraph' ? { ...block, kind: 'list_item' } : block;
}

function* tableBlocks({ children: [head, ...rows] }: Table): Generator<Block> {
  const cells = (row: TableRow) => row.children.map((cell) => cleanLine(textOf(cell)));
  const columns = head === undefined ? [] : cells(head);
  if (rows.length === 0) yield { kind: 'table_row', text: columns.filter(Boolean).join(' | ') };
  for (const row of rows) yield { kind: 'table_row', text: joinRow(columns, cells(row)) };
}

function htmlBlocks(html: string): Block[] {
  const reader = createMarkupReader();
  return [...reader.write(html), ...reader.end()];
}

function textOf(node: Nodes): string {
  if (node.type === 'break') return '\n';
  if (node.type === 'html') return '';
  if (node.type === 'image' || node.type === 'imageReference') return node.alt ?? '';
  if ('value' in node) return node.value;
  return 'children' in node ? (node.children as Nodes[]).map(textOf).join('') : '';
}
