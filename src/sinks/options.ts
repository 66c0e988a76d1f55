/** Options that several types of sinks have, each checked in one way. */
import { z } from 'zod';
import { checked } from '../schema-problems.ts';
import { durationMs, SECOND_MS } from '../time.ts';

export const text = z.string('expected a text').min(1, 'expected a text that is not empty');

/** A place of a secret, never the secret. */
export const secretPlace = z
  .string('expected env:NAME or file:path')
  .regex(/^(?:env|file):./su, 'expected env:NAME or file:path: the secret itself does not stand in a config');

export const flag = z.boolean('expected true or false');

export const account = z.string('expected 12 digits in quotes').regex(/^\d{12}$/u, 'expected 12 digits');

/** How long one message may take; more is for the pipeline to try again. */
const TIMEOUT_MAX_MS = 600 * SECOND_MS;

/** A span such as `30s`, as milliseconds. */
export const timeout = text
  .transform((value, context) => {
    const ms = checked(context, () => durationMs(value));
    if (ms !== undefined && (ms === 0 || ms > TIMEOUT_MAX_MS))
      context.addIssue({ code: 'custom', message: 'expected a span from 1s to 10m' });
    return ms ?? 0;
  })
  .describe('How long one message may take.');
