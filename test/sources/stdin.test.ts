/** Standard input: one document, or lines of JSON that are cut into parts and need not end. */
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { openStdinSource } from '../../src/sources/stdin.ts';

const MIB = 1024 * 1024;

async function parts(stream: Readable): Promise<{ key: string; text: string }[]> {
  const found: { key: string; text: string }[] = [];
  for await (const item of openStdinSource(stream).list({}, new AbortController().signal)) {
    if ('error' in item || item.content.type !== 'stream') throw new Error('expected a stream');
    const chunks: Buffer[] = [];
    for await (const chunk of await item.content.open()) chunks.push(Buffer.from(chunk));
    found.push({ key: item.key, text: Buffer.concat(chunks).toString('utf8') });
  }
  return found;
}

const sliced = (bytes: Buffer, size: number): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })(),
  );

describe('standard input', () => {
  test.each([
    ['nothing', ''],
    ['a document on many lines', '{\n  "Records": [\n  {"eventID":"a"}\n]}\n'],
    ['a document without a line end', '{"Records":[{"eventID":"a"}]}'],
    ['an array', '[{"eventID":"a"},\n{"eventID":"b"}]\n'],
    ['text', 'hello\nworld\n'],
    ['gzip', '\u001f\u008b\b\n\n'],
  ])('that is %s is one log file', async (_name, text) => {
    expect(await parts(sliced(Buffer.from(text), 3))).toEqual([{ key: 'stdin', text }]);
  });

  test('that is lines of JSON is cut at line ends, at the same places however it arrives', async () => {
    const line = `${JSON.stringify({ eventID: 'a', text: 'x'.repeat(1000) })}\n`;
    const bytes = Buffer.from(line.repeat(Math.ceil((10 * MIB) / line.length)));
    const large = await parts(sliced(bytes, 256 * 1024));
    expect(large.map(({ key }) => key)).toEqual(['stdin#0', 'stdin#1', 'stdin#2']);
    expect(large.every(({ text }) => text.startsWith('{') && text.endsWith('}\n'))).toBe(true);
    expect(Buffer.from(large.map(({ text }) => text).join('')).equals(bytes)).toBe(true);
    const small = await parts(sliced(bytes, 65_537));
    expect(small.map(({ text }) => text.length)).toEqual(large.map(({ text }) => text.length));
  });

  test('gives its complete lines when it pauses, and goes on', async () => {
    const stream = new PassThrough();
    stream.write('{"eventID":"a"}\n{"eventID":"b"');
    const list = openStdinSource(stream).list({}, new AbortController().signal)[Symbol.asyncIterator]();
    expect((await list.next()).value).toMatchObject({ key: 'stdin#0', sizeBytes: 16 });
    stream.end('}\n');
    expect((await list.next()).value).toMatchObject({ key: 'stdin#1', sizeBytes: 16 });
    expect((await list.next()).done).toBe(true);
  });

  test('with an endless line goes to the decoder, which bounds it', async () => {
    const bytes = Buffer.concat([Buffer.from('{"eventID":"a"}\n{"text":"'), Buffer.alloc(16 * MIB, 'x')]);
    const found = await parts(sliced(bytes, MIB));
    expect(found.map(({ key }) => key)).toEqual(['stdin#0']);
    expect(found[0]?.text.length).toBe(bytes.length);
  });
});
