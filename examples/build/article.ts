import { marked, type Token, type Tokens } from 'marked';

/** What the writers of every format need of a Markdown source; inline markup isn't used in the sources. */
export type Block =
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'paragraph'; text: string }
  | { kind: 'list'; ordered: boolean; items: string[] }
  | { kind: 'table'; rows: string[][] };

export interface Article {
  title: string;
  language: 'en' | 'vi';
  /** Everything after the title. */
  blocks: Block[];
}

/** Throws when the source does not start with a level 1 heading, or uses Markdown no writer knows. */
export function parseArticle(markdown: string, language: Article['language']): Article {
  const [title, ...blocks] = marked.lexer(markdown).flatMap(toBlock);
  if (title?.kind !== 'heading' || title.level !== 1) throw new Error('a source starts with "# Title"');
  return { title: title.text, language, blocks };
}

function toBlock(token: Token): Block[] {
  switch (token.type) {
    case 'space':
      return [];
    case 'heading':
      return [{ kind: 'heading', level: (token as Tokens.Heading).depth, text: token.text }];
    case 'paragraph':
      return [{ kind: 'paragraph', text: token.text.replaceAll('\n', ' ') }];
    case 'list': {
      const list = token as Tokens.List;
      return [{ kind: 'list', ordered: list.ordered, items: list.items.map((item) => item.text) }];
    }
    case 'table': {
      const table = token as Tokens.Table;
      return [
        { kind: 'table', rows: [table.header, ...table.rows].map((row) => row.map((cell) => cell.text)) },
      ];
    }
    default:
      throw new Error(`no writer for Markdown of type ${token.type}`);
  }
}

/** "1." or a bullet, for formats without lists of their own. */
export function listMark(ordered: boolean, index: number): string {
  return ordered ? `${index + 1}.` : '•';
}
