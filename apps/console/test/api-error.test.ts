import { expect, it } from 'vitest';
import { errorOf } from '../src/api/api-error.ts';

it('says what a problem document says, with each place that did not fit', () => {
  const problem = {
    code: 'invalid_request',
    detail: 'The request does not fit.',
    request_id: 'r1',
    errors: [{ path: '/k', message: 'expected at most 200' }],
  };
  expect(errorOf(400, JSON.stringify(problem))).toMatchObject({
    code: 'invalid_request',
    status: 400,
    message: 'The request does not fit.\n/k: expected at most 200',
    requestId: 'r1',
  });
});

it.each(['<h1>Bad Gateway</h1>', '', 'null', '{}'])('gives the status when the answer is %j', (body) => {
  expect(errorOf(502, body)).toMatchObject({ code: 'unexpected_answer', status: 502, message: 'HTTP 502' });
});
