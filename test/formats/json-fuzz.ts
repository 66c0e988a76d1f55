/** Property tests that every format of JSON records must pass. */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkAlone, checkBetween } from './against-json-parse.ts';
import { decoderOf, decodeSlices, LIMITS, slicesOf } from './decode.ts';
import { dice, mutate, recordTextOf } from './generate.ts';
import type { Oracle } from './oracle.ts';

/** A million run in test/long. */
const RUNS = 600;

export function testAgainstJsonParse(oracle: Oracle): void {
  const recordText = recordTextOf(oracle);

  it('agrees with JSON.parse on records of any shape', async () => {
    const decoder = await decoderOf(LIMITS, oracle.format);
    const seen = { row: 0, reject: 0, neither: 0 };
    fc.assert(
      fc.property(recordText, (text) => {
        const bytes = Buffer.from(text);
        seen[checkAlone(decoder, bytes, oracle)]++;
        checkBetween(decoder, bytes, oracle);
      }),
      { numRuns: RUNS },
    );
    expect(Math.min(seen.row, seen.reject)).toBeGreaterThan(RUNS / 20);
  });

  it('agrees with JSON.parse on records with wrong bytes', async () => {
    const decoder = await decoderOf(LIMITS, oracle.format);
    const seen = { row: 0, reject: 0, neither: 0 };
    fc.assert(
      fc.property(recordText, fc.nat(), (text, seed) => {
        const roll = dice(seed);
        for (let i = 0; i < 3; i++) {
          const bytes = mutate(Buffer.from(text), roll);
          seen[checkAlone(decoder, bytes, oracle)]++;
          checkBetween(decoder, bytes, oracle);
        }
      }),
      { numRuns: RUNS },
    );
    expect(Math.min(seen.row, seen.reject)).toBeGreaterThan(RUNS / 20);
  });

  it('gives the same for wrong bytes however they are sliced', async () => {
    const small = await decoderOf({ ...LIMITS, recordBytes: 300 }, oracle.format);
    fc.assert(
      fc.property(fc.array(recordText, { minLength: 1, maxLength: 5 }), fc.nat(), (texts, seed) => {
        const roll = dice(seed);
        const frame = roll(2) === 0 ? [oracle.frame.join(texts.join(','))] : texts;
        const file = mutate(Buffer.from(frame.join('\n')), roll);
        const whole = decodeSlices(small, [file]);
        deepStrictEqual(
          decodeSlices(
            small,
            slicesOf(file, () => 1 + roll(60)),
          ),
          whole,
        );
        deepStrictEqual(
          decodeSlices(
            small,
            slicesOf(file, () => 1),
          ),
          whole,
        );
      }),
      { numRuns: RUNS },
    );
  });
}
