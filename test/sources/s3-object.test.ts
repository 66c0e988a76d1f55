/** Reading objects over a network that fails: whole or with an error that says what to do, never half, never with a byte twice. */
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { AwsOptions, LogFile } from '../../src/source.ts';
import type { Fault, FaultKind } from '../support/s3-faults.ts';
import { objectsOf, type PeerOptions } from '../support/s3-peer.ts';
import { CREDENTIALS, openPeerSource, type PeerSource } from './s3-support.ts';
import { listAll } from './support.ts';

const KEY = 'logs/a.json';
const URL_OF_KEY = `s3://example-logs/${KEY}`;
/** Larger than what a socket takes at once, and different everywhere. */
const CONTENT = Array.from({ length: 60_000 }, (_, index) => `record ${index}\n`).join('');

beforeAll(() => {
  for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value);
});
afterEach(() => vi.useRealTimers());

async function opened(faults: readonly Fault[]): Promise<PeerSource & { readonly file: LogFile }> {
  const source = await openPeerSource({
    objects: objectsOf({ [KEY]: CONTENT }),
    faults: faults.map((fault) => ({ on: 'get', ...fault })),
  });
  const [file] = (await listAll(source.source)).files;
  if (file === undefined) throw new Error('the peer listed nothing');
  return { ...source, file };
}

async function read(file: LogFile, signal = new AbortController().signal): Promise<string> {
  if (file.content.type !== 'object') throw new Error(`expected an object, not a ${file.content.type}`);
  return text(await file.content.open(signal));
}

/** The client waits seconds between its tries; here they pass a hundred times as fast. */
function hasten(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const hurry = setInterval(() => void vi.advanceTimersByTimeAsync(500), 5);
  onTestFinished(() => clearInterval(hurry));
}

async function failure(reading: Promise<unknown>): Promise<readonly [code: string, message: string, hint?: string]> {
  const error: unknown = await reading.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error(`expected an AppError, not ${String(error)}`);
  return [error.code, error.message, error.hint ?? ''];
}

describe('what passes', () => {
  test.each<FaultKind>(['slow-down', 'reset', 'cut', 'short'])(
    '%s, several times: the object is whole',
    async (kind) => {
      const { file, peer } = await opened([{ kind, times: 4 }]);
      hasten();
      expect(await read(file)).toBe(CONTENT);
      expect(peer.counts).toMatchObject({ get: 5, faults: 4 });
    },
  );

  test('a body that goes on from the start is not taken for its rest', async () => {
    const { file } = await opened([
      { kind: 'cut', times: 1 },
      { kind: 'ignore-range', times: 2 },
    ]);
    expect(await read(file)).toBe(CONTENT);
  });

  test('a body that stops is given up and fetched from where it stopped', async () => {
    const { file, peer } = await opened([{ kind: 'stall', times: 1 }]);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reading = read(file);
    while (peer.counts.faults === 0) await new Promise((resolve) => setImmediate(resolve));
    // The first half has arrived some turns of the loop later.
    for (let turns = 0; turns < 200; turns++) await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(19_000);
    expect(peer.counts.get).toBe(1);
    await vi.advanceTimersByTimeAsync(1500);
    vi.useRealTimers();
    expect(await reading).toBe(CONTENT);
    expect(peer.counts.get).toBe(2);
  });

  test('a request without an answer is given up and sent again', async () => {
    const { file, peer } = await opened([{ kind: 'hang', times: 1 }]);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reading = read(file);
    while (peer.counts.faults === 0) await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(30_500);
    vi.useRealTimers();
    expect(await reading).toBe(CONTENT);
    expect(peer.counts.get).toBe(2);
  });

  test('many objects over a network that fails one request in five: each whole, once', async () => {
    const contents = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`logs/${index}.json`, `content of ${index} `.repeat(200)]),
    );
    const kinds: readonly FaultKind[] = ['slow-down', 'reset', 'cut', 'short'];
    const { source, peer } = await openPeerSource({
      objects: objectsOf(contents),
      faults: kinds.map((kind) => ({ kind, on: 'get', probability: 0.05 })),
    });
    const { files } = await listAll(source);
    const bodies = await Promise.all(files.map(async (file) => [file.key.slice(20), await read(file)] as const));
    const expected = Object.fromEntries(Object.entries(contents).map(([key, content]) => [key.slice(2), content]));
    expect(Object.fromEntries(bodies)).toEqual(expected);
    expect(peer.counts.faults).toBeGreaterThan(30);
  });
});

describe('what does not pass', () => {
  const cases: readonly (readonly [kind: FaultKind, why: RegExp | string, hint: RegExp])[] = [
    ['missing', 'the object is gone since it was listed', /Run the same command again/],
    ['changed', 'the object was replaced while it was read', /it reads the new one/],
    ['denied', 'access denied (Access Denied)', /s3:GetObject/],
    ['no-key-grant', /^the key that it is encrypted with may not be used/, /kms:Decrypt/],
    ['archived', 'the object is archived (Glacier) and must be restored first', /restore-object/],
    ['bad-key-id', /^AWS takes no credentials from here \(InvalidAccessKeyId/, /--aws-profile/],
    ['long', `it holds more than the ${CONTENT.length} bytes listed`, /Run the same command again/],
  ];
  test.each(cases)('%s is told after one request', async (kind, why, hint) => {
    const { file, peer } = await opened([{ kind }]);
    const [code, message, told = ''] = await failure(read(file));
    expect(message.startsWith(`cannot read ${URL_OF_KEY}: `)).toBe(true);
    expect([code, message.slice(`cannot read ${URL_OF_KEY}: `.length), told]).toEqual([
      kind === 'bad-key-id' ? 'aws-credentials' : 'source-unreadable',
      typeof why === 'string' ? why : expect.stringMatching(why),
      expect.stringMatching(hint),
    ]);
    expect(peer.counts.get).toBe(1);
  });

  test('a short object that never grows is told with what came', async () => {
    const { file } = await opened([{ kind: 'short' }]);
    const [code, message] = await failure(read(file));
    expect([code, message]).toEqual([
      'source-unreadable',
      expect.stringMatching(new RegExp(`of ${CONTENT.length} bytes`)),
    ]);
  });

  test('S3 that keeps asking to slow down', async () => {
    const { file, peer } = await opened([{ kind: 'slow-down' }]);
    hasten();
    expect(await failure(read(file))).toEqual([
      'source-unreadable',
      `cannot read ${URL_OF_KEY}: S3 asks to slow down`,
      'Run the same command again later.',
    ]);
    expect(peer.counts.get).toBeGreaterThanOrEqual(6);
  });

  test('a connection that is always reset', async () => {
    const { file } = await opened([{ kind: 'reset' }]);
    hasten();
    expect(await failure(read(file))).toEqual([
      'source-unreadable',
      `cannot read ${URL_OF_KEY}: no answer (ECONNRESET)`,
      'Check the network, --endpoint-url and --aws-region.',
    ]);
  });
});

test('reading that is told to stop ends at once', async () => {
  const { file, peer } = await opened([{ kind: 'stall' }]);
  const controller = new AbortController();
  const reading = failure(read(file, controller.signal));
  while (peer.counts.faults === 0) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  expect((await reading)[0]).toBe('interrupted');
});

describe('requests that are made without the client', () => {
  const KEYS = [
    'plain.json',
    'a b+c&d=e?f#g.json',
    "!'()*~_-.json",
    'ümlaut/日本/%20.json',
    '//./../x.json',
    'tab\t.json',
  ];
  const secret = CREDENTIALS.AWS_SECRET_ACCESS_KEY;

  async function readSigned(signed: NonNullable<PeerOptions['signed']>, aws: AwsOptions = {}) {
    const contents = Object.fromEntries(KEYS.map((key) => [`logs/${key}`, `content of ${key}`]));
    const { source, peer } = await openPeerSource({ objects: objectsOf(contents), signed }, 'logs/', aws);
    const { files } = await listAll(source);
    const found: Record<string, string> = {};
    for (const file of files) found[file.key.slice('s3://example-logs/'.length)] = await read(file);
    return { contents, found, peer };
  }

  test('are signed as S3 expects it, whatever the key', async () => {
    const { contents, found, peer } = await readSigned({ secret, region: 'us-east-1' });
    expect(found).toEqual(contents);
    expect(peer.counts.get).toBe(KEYS.length);
  });

  test('go to the region of the bucket once it is known', async () => {
    const { contents, found, peer } = await readSigned({ secret, region: 'eu-west-1' }, { region: 'eu-central-1' });
    expect(found).toEqual(contents);
    expect(peer.counts.get).toBe(KEYS.length);
  });

  test('are signed by the clock of S3', async () => {
    const { contents, found, peer } = await readSigned({ secret, region: 'us-east-1', aheadMs: 3_600_000 });
    expect(found).toEqual(contents);
    expect(peer.counts.get).toBe(KEYS.length);
  });

  test('are made by the client where it may get further', async () => {
    const { file, peer } = await opened([{ kind: 'bad-signature', times: 1 }]);
    expect(await read(file)).toBe(CONTENT);
    expect(peer.counts.get).toBe(2);
  });
});
