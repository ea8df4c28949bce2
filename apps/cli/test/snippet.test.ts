import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fold } from '../src/query/fold.ts';
import { snippetOf } from '../src/query/snippet.ts';

const mark = (text: string) => `[${text}]`;

describe('snippetOf', () => {
  it('marks words whatever their case and diacritics', () => {
    expect(snippetOf('Hồ sơ mời thầu và Đấu thầu', 'HO SO đau thầu', { width: 100, mark })).toBe(
      '[Hồ] [sơ] mời [thầu] và [Đấu] [thầu]',
    );
  });

  it('marks whole words only', () => {
    expect(snippetOf('forbid a bid', 'bid', { width: 100, mark })).toBe('forbid a [bid]');
  });

  it('shows the stretch with most of the words, cut between words', () => {
    const filler = 'nothing to see here '.repeat(30);
    const snippet = snippetOf(`bid ${filler}the bid security is valid ${filler}`, 'bid security valid', {
      width: 80,
      mark,
    });
    expect(snippet).toContain('the [bid] [security] is [valid]');
    expect(snippet).toMatch(/^… \w.*\w …$/);
    expect(snippet.length).toBeLessThan(100);
  });

  it('loses nothing of a text that fits, and folding keeps every place', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, query) => {
        const composed = text.normalize('NFC');
        expect(fold(composed)).toHaveLength(composed.length);
        const plain = composed.replace(/\s+/g, ' ').trim();
        expect(snippetOf(text, query, { width: 10_000, mark: (word) => word })).toBe(plain);
      }),
    );
  });
});
