/** Lines in a file: whole ones only, whatever happened to it before, and rotated as it was asked. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { checkSinkOptions } from '../../src/sinks/open.ts';
import { alertMessage } from '../support/messages.ts';
import { open, outcome, tempDir } from '../support/sinks.ts';

let dir: string;
beforeEach(() => {
  dir = tempDir();
});

const path = () => join(dir, 'alerts.jsonl');
const write = async (key: string, options: object = {}) =>
  outcome(await open('file', { path: 'alerts.jsonl', ...options }, { dir }), alertMessage({}, { key }));
const keysIn = (name: string) =>
  readFileSync(join(dir, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (line.startsWith('{') ? (JSON.parse(line) as { key: string }).key : line));

test('one line for each message, for the owner alone', async () => {
  for (const key of ['a', 'b']) expect(await write(key)).toBe('taken');
  expect([keysIn('alerts.jsonl'), statSync(path()).mode & 0o777]).toEqual([['a', 'b'], 0o600]);
});

describe('the end of the file', () => {
  test.each([
    ['half of a line of ours is cut off', '{"schema":1,"key":"half","ki', ['a', 'b']],
    ['the first letter of one too', '{', ['a', 'b']],
    ['a long half line too', `{"schema":1,"key":"${'x'.repeat(300_000)}`, ['a', 'b']],
    ['a line of somebody else is ended', 'a line without an end', ['a', 'a line without an end', 'b']],
  ])('%s', async (_name, end, keys) => {
    await write('a');
    appendFileSync(path(), end);
    expect(await write('b')).toBe('taken');
    expect(keysIn('alerts.jsonl')).toEqual(keys);
  });

  test('a file without any line break is kept', async () => {
    writeFileSync(path(), 'notes');
    await write('a');
    expect(keysIn('alerts.jsonl')).toEqual(['notes', 'a']);
  });
});

describe('rotation', () => {
  test('by size keeps so many', async () => {
    await write('a');
    const bytes = statSync(path()).size;
    for (const key of ['b', 'c', 'd', 'e', 'f', 'g']) await write(key, { max_size: `${bytes * 2}B`, keep: 2 });
    expect(readdirSync(dir).toSorted()).toEqual(['alerts.jsonl', 'alerts.jsonl.1', 'alerts.jsonl.2']);
    expect(['alerts.jsonl.2', 'alerts.jsonl.1', 'alerts.jsonl'].map(keysIn)).toEqual([['c', 'd'], ['e', 'f'], ['g']]);
  });

  test('a line larger than the size has a file of its own', async () => {
    for (const key of ['a', 'b']) expect(await write(key, { max_size: '10B', keep: 5 })).toBe('taken');
    expect([keysIn('alerts.jsonl.1'), keysIn('alerts.jsonl'), existsSync(join(dir, 'alerts.jsonl.2'))]).toEqual([
      ['a'],
      ['b'],
      false,
    ]);
  });

  test('by day', async () => {
    await write('a', { daily: true });
    await write('b', { daily: true });
    const yesterday = Date.now() / 1000 - 86_400;
    utimesSync(path(), yesterday, yesterday);
    await write('c', { daily: true });
    expect([keysIn('alerts.jsonl.1'), keysIn('alerts.jsonl')]).toEqual([['a', 'b'], ['c']]);
  });
});

describe('what cannot be written', () => {
  test('no such folder', async () => {
    expect(await write('a', { path: 'nowhere/alerts.jsonl' })).toMatch(
      /^sink: cannot write to .*nowhere\/alerts\.jsonl: ENOENT/,
    );
  });

  test('a folder', async () => {
    mkdirSync(path());
    expect(await write('a')).toMatch(/^sink: cannot write to .*: EISDIR/);
  });

  test('a device', async () => {
    symlinkSync('/dev/null', path());
    expect(await write('a')).toMatch(/^sink: cannot write to .*: it is no regular file$/);
  });

  test.skipIf(process.getuid?.() === 0)('no permission', async () => {
    writeFileSync(path(), '');
    chmodSync(path(), 0o400);
    expect(await write('a')).toMatch(/^sink: cannot write to .*: EACCES/);
  });
});

test.each([
  [{}, 'path: missing'],
  [
    { path: 'a', max_size: 'much' },
    "max_size: cannot use 'much' for max_size: expected a size such as 500MB, 50GB or 1TB",
  ],
  [{ path: 'a', keep: 0 }, 'keep: expected 1 to 1000'],
  [{ path: 'a', daily: 'yes' }, 'daily: expected true or false'],
  [{ path: 'a', size: '1MB' }, 'size: unknown key: expected one of path, max_size, daily, keep'],
])('%j is refused', (options, problem) => {
  expect(checkSinkOptions('file', options).map(({ path: at, message }) => `${at.join('.')}: ${message}`)).toEqual([
    problem,
  ]);
});

test('stdout: the same lines, and a pipe that takes no more is told', async () => {
  let written = '';
  const stdout = await open('stdout', {}, { write: async (text) => void (written += text) });
  expect(await outcome(stdout, alertMessage({}, { key: 'a' }))).toBe('taken');
  expect(written).toMatch(/^\{"schema":1,"key":"a",[^\n]*\}\n$/);
  const closed = await open('stdout', {}, { write: () => Promise.reject(new Error('write EPIPE')) });
  expect(await outcome(closed, alertMessage())).toBe('sink: cannot write to stdout: write EPIPE');
});
