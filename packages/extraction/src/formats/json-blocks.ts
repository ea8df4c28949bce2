import { Tokenizer, TokenType } from '@streamparser/json';
import type { Block } from '../block.ts';
import { cleanLine, cleanText } from '../text/clean-text.ts';
import { createGrammar } from './json-grammar.ts';

/** Turns JSON, fed piece by piece, into blocks. Throws on what is not JSON. */
export interface JsonReader {
  write(text: string): Block[];
  end(): Block[];
}

const deepest = 256;
const longestRecord = 16_384;

/** Keeps numbers as they are written: identifiers of 17 digits and more do not survive as JavaScript numbers. */
class ExactTokenizer extends Tokenizer {
  protected override parseNumber(text: string): number {
    return text as unknown as number;
  }
}

interface Level {
  kind: 'object' | 'array';
  /** The name of the value that comes next, in an object. */
  key: string;
  /** How many values there were. */
  count: number;
  /** Values of an array that are not objects or arrays themselves are listed on one line. */
  list: string[];
}

/**
 * A line for each value, `price: 5` or `buyer.name: An`; a block for each record. Records are the elements of an outermost
 * array of objects, with the array's name as heading, and what is outside of such arrays.
 */
export function createJsonReader(): JsonReader {
  const out: Block[] = [];
  const levels: Level[] = [];
  /** How deep the elements of the outermost array are; 0 outside of it. */
  let recordDepth = 0;
  let lines: string[] = [];
  let length = 0;

  function flush(): void {
    if (lines.length > 0) out.push({ kind: 'paragraph', text: lines.join('\n') });
    lines = [];
    length = 0;
  }

  function add(line: string): void {
    if (length + line.length > longestRecord) flush();
    lines.push(line);
    length += line.length;
  }

  /** The name of the current value: the keys on the way to it, from the record on. */
  function name(until = levels.length): string {
    let path = '';
    for (const { kind, key, count } of levels.slice(recordDepth, until)) {
      if (kind === 'array') path += `[${count}]`;
      else path += path === '' ? key : `.${key}`;
    }
    return path;
  }

  function endList(level: Level): void {
    if (level.list.length === 0) return;
    const label = name(levels.length - 1);
    add(label === '' ? level.list.join(', ') : `${label}: ${level.list.join(', ')}`);
    level.list = [];
  }

  function scalar(text: string): void {
    const parent = levels.at(-1);
    if (parent?.kind === 'array') {
      parent.list.push(text);
      if (parent.list.length >= 200) endList(parent);
    } else if (text !== '') add(parent === undefined ? text : `${name()}: ${text}`);
    endValue();
  }

  function endValue(): void {
    const parent = levels.at(-1);
    if (parent !== undefined) parent.count += 1;
    if (levels.length === recordDepth) flush();
  }

  function open(kind: 'object' | 'array'): void {
    if (levels.length >= deepest) throw new Error(`nested more than ${deepest} levels deep`);
    const parent = levels.at(-1);
    if (parent?.kind === 'array') {
      endList(parent);
      if (recordDepth === 0) startRecords();
    }
    levels.push({ kind, key: '', count: 0, list: [] });
  }

  function startRecords(): void {
    const label = name(levels.length - 1);
    flush();
    if (label !== '') out.push({ kind: 'heading', level: 1, text: label });
    recordDepth = levels.length;
  }

  function close(): void {
    const level = levels.at(-1)!;
    endList(level);
    if (levels.length === recordDepth) {
      flush();
      recordDepth = 0;
    }
    levels.pop();
    endValue();
  }

  const grammar = createGrammar();
  const tokenizer = new ExactTokenizer({ separator: '' });
  tokenizer.onToken = ({ token, value }) => {
    const role = grammar.accept(token);
    if (role === 'key') levels.at(-1)!.key = cleanLine(String(value)).slice(0, 200);
    else if (token === TokenType.LEFT_BRACE) open('object');
    else if (token === TokenType.LEFT_BRACKET) open('array');
    else if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) close();
    else if (token === TokenType.NULL) scalar('');
    else if (role === 'value') scalar(cleanText(String(value)).trim());
  };

  return {
    write(text) {
      tokenizer.write(text);
      return out.splice(0);
    },
    end() {
      if (!tokenizer.isEnded) tokenizer.end();
      grammar.end();
      flush();
      return out.splice(0);
    },
  };
}
