import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ReadAhead } from '../../src/pipeline/read-ahead.ts';

async function* chunks(count: number, bytes: number, fail = false): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield await Promise.resolve(new Uint8Array(bytes).fill(at));
  if (fail) throw new Error('reset');
}

async function allOf(ahead: ReadAhead): Promise<{ bytes: Uint8Array; pieces: number; error: string | null }> {
  const parts: Uint8Array[] = [];
  try {
    for (;;) {
      const { bytes, last } = await ahead.next();
      parts.push(bytes);
      // A reader that is slower than the stream.
      await setImmediate();
      if (last) return { bytes: Buffer.concat(parts), pieces: parts.length, error: null };
    }
  } catch (error) {
    return { bytes: Buffer.concat(parts), pieces: parts.length, error: (error as Error).message };
  }
}

test('gives every byte in order, in pieces larger than the chunks', async () => {
  const { bytes, pieces, error } = await allOf(new ReadAhead(() => Promise.resolve(chunks(200, 65_536))));
  expect(error).toBeNull();
  expect(bytes.length).toBe(200 * 65_536);
  expect([...Array(200).keys()].every((at) => bytes[at * 65_536] === at % 256)).toBe(true);
  expect(pieces).toBeLessThan(200);
});

test('gives what came before a failure, and then the failure', async () => {
  const { bytes, error } = await allOf(new ReadAhead(() => Promise.resolve(chunks(3, 10, true))));
  expect([bytes.length, error]).toEqual([30, 'reset']);
  expect((await allOf(new ReadAhead(() => Promise.reject(new Error('no bucket'))))).error).toBe('no bucket');
});

test('ends a stream without bytes with an empty last piece', async () => {
  expect(await new ReadAhead(() => Promise.resolve(chunks(0, 1))).next()).toEqual({
    bytes: new Uint8Array(0),
    last: true,
  });
});

test('does not open the stream before its first piece is asked for, and holds little of it', async () => {
  let given = 0;
  let opened = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      given++;
      yield await Promise.resolve(new Uint8Array(65_536));
    }
  }
  const ahead = new ReadAhead(() => {
    opened = true;
    return Promise.resolve(endless());
  });
  expect(opened).toBe(false);
  await ahead.next();
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  expect(given).toBeLessThan(100);
});
