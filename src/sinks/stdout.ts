/** JSON Lines on standard output: one object a message, for a pipe. */
import { z } from 'zod';
import { DeliveryError } from '../sink.ts';
import { messageJson } from './json.ts';
import { sinkType } from './kind.ts';

const options = z.strictObject({}, 'expected no options');

export const stdout = sinkType(options, async (_options, { write }) => ({
  deliver: async (message) => {
    try {
      await write(`${messageJson(message)}\n`);
    } catch (error) {
      throw new DeliveryError(
        'sink',
        `cannot write to stdout: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return null;
  },
  render: (message) => messageJson(message),
  close: async () => {},
}));
