import { TokenType } from '@streamparser/json';

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or ]' | ', or }' | 'the end';
export type TokenRole = 'key' | 'value' | 'punctuation';

/** Checks the order of JSON tokens, which the tokenizer leaves to its reader, and tells names from values. */
export function createGrammar() {
  const stack: ('object' | 'array')[] = [];
  let expected: Expected = 'value';

  const afterValue = (): Expected => {
    const parent = stack.at(-1);
    if (parent === undefined) return 'the end';
    return parent === 'array' ? ', or ]' : ', or }';
  };

  function refuse(what: string): never {
    throw new Error(
      `expected ${expected === 'key' || expected === 'key or }' ? expected.replace('key', 'a name') : expected}, found ${what}`,
    );
  }

  function start(kind: 'object' | 'array'): TokenRole {
    if (expected !== 'value' && expected !== 'value or ]') refuse(kind === 'object' ? '{' : '[');
    stack.push(kind);
    expected = kind === 'object' ? 'key or }' : 'value or ]';
    return 'punctuation';
  }

  function finish(mark: '}' | ']', empty: Expected, full: Expected): TokenRole {
    if (expected !== empty && expected !== full) refuse(mark);
    stack.pop();
    expected = afterValue();
    return 'punctuation';
  }

  function accept(token: TokenType): TokenRole {
    switch (token) {
      case TokenType.LEFT_BRACE:
        return start('object');
      case TokenType.LEFT_BRACKET:
        return start('array');
      case TokenType.RIGHT_BRACE:
        return finish('}', 'key or }', ', or }');
      case TokenType.RIGHT_BRACKET:
        return finish(']', 'value or ]', ', or ]');
      case TokenType.COLON:
        if (expected !== ':') refuse(':');
        expected = 'value';
        return 'punctuation';
      case TokenType.COMMA:
        if (expected !== ', or ]' && expected !== ', or }') refuse(',');
        expected = expected === ', or ]' ? 'value' : 'key';
        return 'punctuation';
      default:
        return leaf(token);
    }
  }

  function leaf(token: TokenType): TokenRole {
    if (expected === 'key' || expected === 'key or }') {
      if (token !== TokenType.STRING) refuse('a value');
      expected = ':';
      return 'key';
    }
    if (expected !== 'value' && expected !== 'value or ]') refuse('a value');
    expected = afterValue();
    return 'value';
  }

  return {
    accept,
    /** @throws if a value is not complete. */
    end(): void {
      if (expected !== 'the end') refuse('the end of the text');
    },
    /** Whether nothing but blanks may follow. */
    isComplete: () => expected === 'the end',
  };
}
