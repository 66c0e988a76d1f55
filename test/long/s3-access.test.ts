import fc from 'fast-check';
import { expect, it } from 'vitest';
import { s3AccessFormat } from '../../src/formats/s3-access.ts';
import { decoderOf, LIMITS } from '../formats/decode.ts';
import { dice, mutate } from '../formats/generate.ts';
import { checkLines } from '../formats/s3-access-check.ts';
import { line, NEIGHBOUR } from '../formats/s3-access-generate.ts';

/** Lines in all, whole ones and mutated ones; `TRAILHOUND_FUZZ_RECORDS` asks for another number. */
const LINES = Number(process.env['TRAILHOUND_FUZZ_RECORDS'] ?? 1_000_000);
const MUTATIONS = 19;

it(`agrees with a simple reader on ${LINES} generated and mutated lines`, async () => {
  const decoder = await decoderOf(LIMITS, s3AccessFormat);
  const seen = { rows: 0, rejects: 0 };
  fc.assert(
    fc.property(line, fc.nat(), (text, seed) => {
      const roll = dice(seed);
      const whole = Buffer.from(text);
      for (let i = 0; i <= MUTATIONS; i++) {
        const { rows, rejects } = checkLines(decoder, i === 0 ? whole : mutate(whole, roll), NEIGHBOUR);
        seen.rows += rows;
        seen.rejects += rejects;
      }
    }),
    { numRuns: Math.ceil(LINES / (MUTATIONS + 1)) },
  );
  expect(seen.rows + seen.rejects).toBeGreaterThan(LINES * 0.95);
  expect(Math.min(seen.rows, seen.rejects)).toBeGreaterThan(LINES / 20);
});
