import type { Block, ReaderContext, Source } from '../block.ts';
import { decodeFile, linesOf } from '../text/decode.ts';

const longestBuffer = 65_536;

/** Plain text: paragraphs are what blank lines separate. */
export async function* readText(source: Source, _context: ReaderContext): AsyncGenerator<Block> {
  let text = '';
  let continues = false;
  let joined = false;
  for await (const line of linesOf(decodeFile(source.path, source.charset), longestBuffer)) {
    if (!joined && line.text.trim() === '') {
      if (text.trim() !== '') yield { kind: 'paragraph', text, continues };
      text = '';
      continues = false;
      continue;
    }
    text += text === '' || joined ? line.text : `\n${line.text}`;
    joined = line.partial;
    if (text.length > longestBuffer) {
      // Back to a blank, so that no word and no character is cut in two.
      const cut = Math.max(text.lastIndexOf(' '), text.lastIndexOf('\n'));
      const end = cut > longestBuffer / 2 ? cut : text.length;
      yield { kind: 'paragraph', text: text.slice(0, end), continues };
      text = text.slice(end);
      continues = true;
    }
  }
  if (text.trim() !== '') yield { kind: 'paragraph', text, continues };
}
