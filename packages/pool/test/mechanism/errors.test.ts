import { describe, expect, test } from 'vitest';
import { isTransient } from '../../src/errors.ts';

const error = (code: string, severity = 'ERROR', message = '') =>
  Object.assign(new Error(message), { code, severity });

describe('an error may pass when it is done again', () => {
  test.each([
    ['a serialization failure', error('40001'), true],
    ['a session that the server ended for its idleness', error('57P05', 'FATAL'), true],
    [
      'what a pooler says of a server that it has lost',
      error('08P01', 'FATAL', 'server conn crashed?'),
      true,
    ],
    ['a socket that broke', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), true],
    ['a violation of the protocol', error('08P01'), false],
    ['a syntax error', error('42601'), false],
    ['a broken constraint', error('23505'), false],
    ['anything else', new Error('boom'), false],
  ])('%s', (_, caught, expected) => {
    expect(isTransient(caught)).toBe(expected);
  });
});
