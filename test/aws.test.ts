/** What people are told when nothing of AWS answered. */
import { expect, test } from 'vitest';
import { unansweredError } from '../src/aws.ts';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

test.each([
  [named('Error', 'Region is missing'), 'usage-invalid', 'cannot look: no Region is named', '--aws-region'],
  [named('ExpiredToken', 'too old'), 'aws-credentials', /AWS takes no credentials from here \(ExpiredToken/, 'aws sts'],
  [
    Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
    'query-failed',
    'cannot look: no answer (ECONNREFUSED)',
    '--endpoint-url',
  ],
] as const)('%s', (error, code, message, hint) => {
  const told = unansweredError(error, 'look', 'query-failed');
  expect(told).toMatchObject({ code, hint: expect.stringContaining(hint) });
  expect(told?.message).toMatch(message);
});

test('an answer is for the service to explain', () => {
  expect(unansweredError(named('AccessDenied', 'no'), 'look', 'query-failed')).toBeNull();
});
