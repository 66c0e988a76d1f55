/** The short form of test/long/envelopes.test.ts. */
import { expect, test } from 'vitest';
import { checkDamaged } from './envelope-fuzz.ts';

test('of 4,000 damaged messages none costs another one, or goes uncounted', async () => {
  const { records, rejects } = await checkDamaged(4000, 10);
  expect(Math.min(records, rejects)).toBeGreaterThan(400);
});
