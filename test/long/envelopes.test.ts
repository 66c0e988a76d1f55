/** Files of envelopes of which one is damaged, a million times. */
import { expect, it } from 'vitest';
import { checkDamaged } from '../formats/envelope-fuzz.ts';

/** Damaged messages; `TRAILHOUND_FUZZ_RECORDS` asks for another number. */
const MESSAGES = Number(process.env['TRAILHOUND_FUZZ_RECORDS'] ?? 1_000_000);
const PER_FILE = 20;

it(`loses nothing around ${MESSAGES} damaged messages, and counts each, wherever the bytes are cut`, async () => {
  const { records, rejects } = await checkDamaged(MESSAGES, PER_FILE);
  expect(Math.min(records, rejects)).toBeGreaterThan(MESSAGES / 10);
});
