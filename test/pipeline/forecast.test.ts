/** What `--dry-run` tells of objects behind a network: an estimate from the archive itself, and what looking at it cost. */
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test, vi } from 'vitest';
import { forecastIngest } from '../../src/pipeline/forecast.ts';
import { CREDENTIALS, openPeerSource } from '../sources/s3-support.ts';
import { objectsOf } from '../support/s3-peer.ts';

const KEY = 'AWSLogs/111122223333/CloudTrail/eu-central-1/2026/01/10/111122223333_CloudTrail_eu-central-1_20260110T';

beforeAll(() => {
  for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value);
});

/** A log file of so many records, each as large as the next. */
function logFile(records: number): Uint8Array {
  return gzipSync(
    JSON.stringify({
      Records: Array.from({ length: records }, (_, index) => ({ eventID: `id-${index}`, eventName: 'GetObject' })),
    }),
  );
}

const contents = (files: number, bytes: (index: number) => Uint8Array): Record<string, Uint8Array> =>
  Object.fromEntries(
    Array.from({ length: files }, (_, index) => [`${KEY}${String(index).padStart(4, '0')}Z_x.json.gz`, bytes(index)]),
  );

test('a few objects are read to see how many events a byte holds, and told with their price', async () => {
  const { source, peer } = await openPeerSource({ objects: objectsOf(contents(100, () => logFile(50))) });
  const { problems, requests, ...forecast } = await forecastIngest(null, {
    sources: [source],
    scope: {},
    signal: new AbortController().signal,
  });
  expect(problems).toEqual([]);
  expect(forecast).toMatchObject({ files: 100, estimatedEvents: 5000, sampleFiles: peer.counts.get });
  expect(forecast.sampleBytes).toBe((peer.counts.get * forecast.compressedBytes) / 100);
  expect(peer.counts.get).toBeGreaterThanOrEqual(8);
  expect(peer.counts.get).toBeLessThanOrEqual(16);
  expect(requests).toMatchObject({ sampleRequests: peer.counts.get, getRequests: 100, listRequests: peer.counts.list });
  expect(requests?.dollars).toBeCloseTo(peer.counts.list * 5e-6 + (peer.counts.get + 100) * 4e-7, 9);
});

test('objects that cannot be read leave the estimate to the average, and large ones are not fetched for it', async () => {
  const large = new Uint8Array(5 * 1024 * 1024);
  const { source, peer } = await openPeerSource({
    objects: objectsOf(contents(4, (index) => (index === 0 ? large : logFile(10)))),
    faults: [{ kind: 'denied', on: 'get' }],
  });
  const forecast = await forecastIngest(null, {
    sources: [source],
    scope: {},
    signal: new AbortController().signal,
  });
  expect(peer.counts.get).toBe(3);
  expect(forecast).toMatchObject({ files: 4, sampleFiles: 0, sampleBytes: 0, problems: [] });
  expect(forecast.estimatedEvents).toBe(Math.round(forecast.compressedBytes / 160));
});
