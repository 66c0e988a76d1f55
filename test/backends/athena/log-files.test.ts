/** Which log files a day is made of, from lists alone: by place and day of delivery, whatever pages they come in. */
import { afterEach, expect, test, vi } from 'vitest';
import type { LogRoot } from '../../../src/backends/athena/ddl.ts';
import { LogFiles } from '../../../src/backends/athena/log-files.ts';
import { openFolders } from '../../../src/sources/s3-folders.ts';
import { CREDENTIALS } from '../../sources/s3-support.ts';
import { objectsOf, type S3Peer, startS3Peer } from '../../support/s3-peer.ts';

const ROOT: LogRoot = {
  table: 'cloudtrail',
  location: 's3://logs/AWSLogs/',
  template: '${account}/CloudTrail/${region}/',
  keys: [
    { name: 'account', values: ['111122223333', '444455556666'] },
    { name: 'region', values: ['eu-west-1', 'us-east-1'] },
  ],
  since: '2013/11/01',
};
const FLAT: LogRoot = { ...ROOT, table: 's3_access', location: 's3://logs/flat/', template: null, keys: [] };
const one = 'AWSLogs/111122223333/CloudTrail/eu-west-1';
const other = 'AWSLogs/444455556666/CloudTrail/us-east-1';
const FILES: Readonly<Record<string, string>> = {
  [`${one}/2026/02/28/a.json.gz`]: 'before',
  [`${one}/2026/03/01/a b+c.json.gz`]: 'a',
  [`${one}/2026/03/01/b.json.gz`]: 'bb',
  [`${one}/2026/03/03/c.json.gz`]: 'ccc',
  [`${one}/2026/03/04/d.json.gz`]: 'after',
  [`${other}/2026/03/02/e.json.gz`]: 'eeee',
  'AWSLogs/777788889999/CloudTrail/us-east-1/2026/03/02/f.json.gz': 'of no account that is in the table',
  'flat/one2026-03-02-10-00-00-0123456789ABCDEF': 'line',
  'flat/2026-03-09-10-00-00-0123456789ABCDEF': 'a later line',
};

const peers: S3Peer[] = [];
afterEach(async () => {
  for (const peer of peers.splice(0)) await peer.close();
});

async function list(roots: readonly LogRoot[], files = FILES): Promise<{ files: LogFiles; peer: S3Peer }> {
  for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value);
  const peer = await startS3Peer({ bucket: 'logs', objects: objectsOf(files), pageKeys: 2 });
  peers.push(peer);
  const folders = await openFolders({ endpointUrl: peer.url, region: 'us-east-1' });
  const days = { first: '2026/03/01', last: '2026/03/03' };
  const found = await LogFiles.list(roots, days, { folders, signal: new AbortController().signal });
  folders.close();
  return { files: found, peer };
}

test('files of each day of each place are found, and no more are listed than it takes', async () => {
  const { files, peer } = await list([ROOT]);
  expect(files.between('2026/03/01', '2026/03/03')).toMatchObject({ objects: 4, bytes: 10, scanBytes: 10 });
  expect(files.between('2026/03/01', '2026/03/01')).toMatchObject({ objects: 2, bytes: 3 });
  expect(files.between('2026/03/04', '2026/03/09')).toMatchObject({ objects: 0, bytes: 0 });
  // Of one place two pages with what comes behind its last day; of the others one.
  expect(peer.counts.list).toBe(5);
  expect(peer.requests.map(({ key }) => key)).not.toContain('AWSLogs/777788889999/CloudTrail/us-east-1/');
});

test('a statement over files that no folder tells apart reads all of them', async () => {
  const { files } = await list([FLAT]);
  expect(files.between('2026/03/02', '2026/03/02')).toMatchObject({ objects: 1, bytes: 4, scanBytes: 16 });
  expect(files.between('2026/03/01', '2026/03/01')).toMatchObject({ objects: 0, bytes: 0, scanBytes: 16 });
});

test('the digest is another where a file came, went or changed, and only for its days', async () => {
  const digests = async (files: Readonly<Record<string, string>>): Promise<readonly string[]> => {
    const { files: found } = await list([ROOT], files);
    return ['2026/03/01', '2026/03/02', '2026/03/03'].map((day) => found.between(day, day).digest);
  };
  const before = await digests(FILES);
  expect(await digests(FILES)).toEqual(before);
  const { [`${one}/2026/03/01/b.json.gz`]: _, ...gone } = FILES;
  for (const changed of [
    gone,
    { ...FILES, [`${one}/2026/03/01/b.json.gz`]: 'xx' },
    { ...FILES, [`${other}/2026/03/01/late.json.gz`]: 'l' },
  ]) {
    const after = await digests(changed);
    expect(after.map((digest, at) => digest === before[at])).toEqual([false, true, true]);
  }
});
