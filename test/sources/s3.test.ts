/** Opening a bucket: what is wrong with it is told before anything is read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { AwsOptions } from '../../src/source.ts';
import { openS3Source, parseS3Url } from '../../src/sources/s3.ts';
import { objectsOf } from '../support/s3-peer.ts';
import { BUCKET, CREDENTIALS, NO_CREDENTIALS, openPeerSource, startPeer } from './s3-support.ts';
import { readAll } from './support.ts';

beforeEach(() => stub(CREDENTIALS));

function stub(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

const OBJECTS = objectsOf({ 'logs/a.json': 'a' });
const open = async (url: string, options: AwsOptions) => {
  const source = await openS3Source(url, options, () => undefined);
  onTestFinished(() => source.close());
  return source;
};

async function refusal(opening: Promise<unknown>): Promise<readonly [code: string, message: string]> {
  const error: unknown = await opening.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error(`expected an AppError, not ${String(error)}`);
  expect(error.hint).toMatch(/\S/);
  return [error.code, error.message];
}

test.each([
  ['s3://bucket', { bucket: 'bucket', prefix: '' }],
  ['s3://bucket/', { bucket: 'bucket', prefix: '' }],
  ['s3://my.logs-1/AWSLogs/', { bucket: 'my.logs-1', prefix: 'AWSLogs/' }],
  ['s3://bucket//a b?c#d', { bucket: 'bucket', prefix: '/a b?c#d' }],
])('%s names a bucket and a prefix', (url, location) => {
  expect(parseS3Url(url)).toEqual(location);
});

test.each(['s3://', 's3:///key', 's3://Bucket/x', 's3://a/x', 's3://-bucket'])('%s names none', (url) => {
  expect(() => parseS3Url(url)).toThrow(/^cannot read '.*': expected s3:\/\/bucket or s3:\/\/bucket\/prefix$/);
});

describe('opening', () => {
  test('asks for one key', async () => {
    const { peer, source } = await openPeerSource({ objects: OBJECTS }, 'logs/');
    expect([source.name, source.paths, peer.counts]).toEqual([
      `s3://${BUCKET}/logs/`,
      [],
      { list: 1, get: 0, keysListed: 1, faults: 0 },
    ]);
  });

  test('a bucket that does not exist', async () => {
    const { url } = await startPeer({ objects: OBJECTS });
    expect(await refusal(open('s3://no-such-logs/', { endpointUrl: url }))).toEqual([
      'source-missing',
      'cannot list s3://no-such-logs/: there is no such bucket',
    ]);
  });

  test('a prefix that holds nothing', async () => {
    const { url } = await startPeer({ objects: OBJECTS });
    expect(await refusal(open(`s3://${BUCKET}/log/`, { endpointUrl: url }))).toEqual([
      'source-missing',
      `nothing lies under s3://${BUCKET}/log/`,
    ]);
  });

  test('a bucket that may not be listed', async () => {
    const { url } = await startPeer({ objects: OBJECTS, faults: [{ kind: 'denied', on: 'list' }] });
    expect(await refusal(open(`s3://${BUCKET}`, { endpointUrl: url }))).toEqual([
      'source-unreadable',
      `cannot list s3://${BUCKET}: access denied (Access Denied)`,
    ]);
  });

  test('a bucket whose requests the requester pays, with and without the word', async () => {
    const { url } = await startPeer({ objects: OBJECTS, requesterPays: true });
    expect((await refusal(open(`s3://${BUCKET}`, { endpointUrl: url })))[0]).toBe('source-unreadable');
    const source = await open(`s3://${BUCKET}`, { endpointUrl: url, requestPayer: true });
    expect((await readAll(source)).texts).toEqual({ [`s3://${BUCKET}/logs/a.json`]: 'a' });
  });

  test.each(['127.0.0.1', 'localhost'])('an endpoint at %s that nobody listens on', async (host) => {
    const peer = await startPeer({ objects: [] });
    const { port } = new URL(peer.url);
    await peer.close();
    expect(await refusal(open(`s3://${BUCKET}`, { endpointUrl: `http://${host}:${port}` }))).toEqual([
      'source-unreadable',
      `cannot list s3://${BUCKET}: no answer (ECONNREFUSED)`,
    ]);
  });

  test('no credentials anywhere', async () => {
    stub(NO_CREDENTIALS);
    const { url, counts } = await startPeer({ objects: OBJECTS });
    const [code, message] = await refusal(open(`s3://${BUCKET}`, { endpointUrl: url }));
    expect([code, counts.list]).toEqual(['aws-credentials', 0]);
    expect(message).toMatch(/^cannot list s3:\/\/example-logs: AWS takes no credentials from here/);
  });

  test('credentials that S3 does not know', async () => {
    const { url } = await startPeer({ objects: OBJECTS, faults: [{ kind: 'bad-key-id' }] });
    const [code, message] = await refusal(open(`s3://${BUCKET}`, { endpointUrl: url }));
    expect(code).toBe('aws-credentials');
    expect(message).toMatch(/InvalidAccessKeyId: The AWS Access Key Id you provided does not exist/);
  });

  test("a profile of the AWS CLI's files, and one that is not there", async () => {
    const dir = mkdtempSync(join(tmpdir(), 's3-profile-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const file = join(dir, 'credentials');
    writeFileSync(file, '[audit]\naws_access_key_id = a\naws_secret_access_key = b\n');
    stub({ ...NO_CREDENTIALS, AWS_SHARED_CREDENTIALS_FILE: file });
    const { url } = await startPeer({ objects: OBJECTS });
    expect((await open(`s3://${BUCKET}`, { endpointUrl: url, profile: 'audit' })).name).toBe(`s3://${BUCKET}`);
  });

  test.each([
    ['the command line', 'audits', undefined, ''],
    ['AWS_PROFILE', undefined, 'audits', ' that AWS_PROFILE names'],
  ])('a profile that %s misspells is named, with the files and what they have', async (_, profile, inherited, from) => {
    const dir = mkdtempSync(join(tmpdir(), 's3-profile-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const [config, credentials] = [join(dir, 'config'), join(dir, 'credentials')];
    writeFileSync(config, '[default]\nregion = eu-west-1\n[profile audit]\nregion = eu-west-1\n[sso-session audits]\n');
    writeFileSync(credentials, '[ci]\naws_access_key_id = a\naws_secret_access_key = b\n');
    stub({ ...CREDENTIALS, AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: credentials, AWS_PROFILE: inherited });
    const opening = open(`s3://${BUCKET}`, { endpointUrl: 'http://127.0.0.1:9', ...(profile && { profile }) });
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'aws-credentials',
      message: `cannot use the AWS profile 'audits'${from}: it is neither in ${config} nor in ${credentials}. Did you mean 'audit'?`,
      hint: 'Profiles there: audit, ci.',
    });
  });

  test('a server that fails at first, as long as it says', async () => {
    const faults = [{ kind: 'slow-down', on: 'list', times: 1, retryAfterSeconds: 2 }] as const;
    const started = performance.now();
    const { peer } = await openPeerSource({ objects: OBJECTS, faults });
    expect(peer.counts).toMatchObject({ list: 2, faults: 1 });
    expect(performance.now() - started).toBeGreaterThan(1990);
  });
});
