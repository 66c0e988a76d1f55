/** Standard input, and named pipes, as sources: one log file that may never end. */
import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Source } from '../source.ts';

const NO_HINT = { service: null, account: null, region: null, day: null } as const;

/** The key is `stdin`. Whoever reads it cuts it into parts. */
export function openStdinSource(stream: Readable): Source {
  return streamSource('-', 'stdin', [], async () => stream);
}

/** A source of one stream, which can be listed and opened once. Nothing is known of it before it is read, so its version never repeats. */
export function streamSource(
  name: string,
  key: string,
  paths: readonly string[],
  open: () => Promise<Readable>,
): Source {
  return {
    name,
    paths,
    async *list() {
      yield { key, sizeBytes: 0, version: randomUUID(), hint: NO_HINT, content: { type: 'stream', open } };
    },
    close: async () => {},
  };
}
