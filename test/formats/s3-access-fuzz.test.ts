import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { s3AccessFormat } from '../../src/formats/s3-access.ts';
import { decoderOf, decodeSlices, LIMITS, slicesOf } from './decode.ts';
import { dice, mutate } from './generate.ts';
import { checkLines, ofLine } from './s3-access-check.ts';
import {
  AFTER_AGENT,
  agentText,
  BEFORE_URI,
  line,
  NEIGHBOUR,
  referrerText,
  STATUS_TO_TIMES,
  uriText,
} from './s3-access-generate.ts';

/** A million run in test/long. */
const RUNS = 1500;

it('agrees with a simple reader on lines of any shape', async () => {
  const decoder = await decoderOf(LIMITS, s3AccessFormat);
  const seen = { rows: 0, rejects: 0 };
  fc.assert(
    fc.property(line, (text) => {
      const { rows, rejects } = checkLines(decoder, Buffer.from(text), NEIGHBOUR);
      seen.rows += rows;
      seen.rejects += rejects;
    }),
    { numRuns: RUNS },
  );
  expect(Math.min(seen.rows, seen.rejects)).toBeGreaterThan(RUNS / 100);
});

it('agrees with it on lines with wrong bytes', async () => {
  const decoder = await decoderOf(LIMITS, s3AccessFormat);
  const seen = { rows: 0, rejects: 0 };
  fc.assert(
    fc.property(line, fc.nat(), (text, seed) => {
      const roll = dice(seed);
      for (let i = 0; i < 3; i++) {
        const { rows, rejects } = checkLines(decoder, mutate(Buffer.from(text), roll), NEIGHBOUR);
        seen.rows += rows;
        seen.rejects += rejects;
      }
    }),
    { numRuns: RUNS },
  );
  expect(Math.min(seen.rows, seen.rejects)).toBeGreaterThan(RUNS / 20);
});

it('finds the true ends of what clients wrote, whatever that is', async () => {
  const decoder = await decoderOf(LIMITS, s3AccessFormat);
  fc.assert(
    fc.property(
      fc.tuple(...BEFORE_URI),
      uriText,
      fc.tuple(...STATUS_TO_TIMES),
      referrerText,
      agentText,
      fc.tuple(...AFTER_AGENT),
      fc.constantFrom(8, 9, 10),
      (before, uri, status, referrer, agent, after, fields) => {
        const words = [...before, `"${uri}"`, ...status, `"${referrer}"`, `"${agent}"`, ...after.slice(0, fields)];
        const { rows } = decodeSlices(decoder, [Buffer.from(words.join(' '))]);
        const [row = {}] = rows.map(ofLine);
        const written = (text: string): string | undefined => (text === '-' ? undefined : text);
        deepStrictEqual(
          [row['request_uri'], row['referrer'], row['user_agent'], row['version_id'], row['host_id']],
          [uri, written(referrer), written(agent), ...after.slice(0, 2).map(written)],
        );
      },
    ),
    { numRuns: RUNS },
  );
});

it('gives the same however a file is sliced', async () => {
  const small = await decoderOf({ recordBytes: 300, windowBytes: LIMITS.windowBytes }, s3AccessFormat);
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), fc.nat(), (lines, seed) => {
      const roll = dice(seed);
      const mark = roll(2) === 0 ? '\ufeff' : '';
      const end = roll(2) === 0 ? '\r\n' : '\n';
      const file = mutate(Buffer.from(`${mark}${lines.join(end)}${roll(2) === 0 ? end : ''}`), roll);
      const whole = decodeSlices(small, [file]);
      const sliced = (size: () => number) => decodeSlices(small, slicesOf(file, size));
      deepStrictEqual(
        sliced(() => 1 + roll(60)),
        whole,
      );
      deepStrictEqual(
        sliced(() => 1),
        whole,
      );
    }),
    { numRuns: RUNS },
  );
});
