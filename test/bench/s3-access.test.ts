/** The benchmark's S3 access logs: the same for the same shape, as many as asked for, and read by the format whole. */
import { expect, test } from 'vitest';
import { plan } from '../../bench/corpus.ts';
import { s3AccessText } from '../../bench/s3-access-world.ts';
import { s3AccessFormat } from '../../src/formats/s3-access.ts';
import { decode, LIMITS } from '../formats/decode.ts';

const shape = { name: 'test', logs: 's3_access', events: 450_000, days: 10, seed: 7 } as const;

test('a plan holds as many records as asked for, with one incident in about 100,000, each kind in turn', () => {
  const jobs = plan(shape);
  expect(jobs.reduce((total, job) => total + job.records, 0)).toBe(shape.events);
  const incidents = jobs.flatMap(({ incident }) => (incident === undefined ? [] : [incident]));
  expect(incidents).toHaveLength(5);
  expect(new Set(incidents).size).toBe(4);
});

test('every file is the same whenever it is made, says by its key what it is, and has no line that is no record', async () => {
  for (const job of plan(shape).filter(({ incident }, index) => incident !== undefined || index % 150 === 0)) {
    const { text, records } = s3AccessText(job);
    expect(s3AccessText(job).text).toBe(text);
    expect(s3AccessFormat.sniff(new Uint8Array(0), job.path)).toBe('key');
    expect(s3AccessFormat.sniff(Buffer.from(text), '')).toBe('content');
    const decoded = await decode(text, LIMITS, s3AccessFormat);
    expect(decoded.rejects).toEqual([]);
    expect(decoded.rows).toHaveLength(records);
    expect(records).toBeGreaterThanOrEqual(job.records + (job.incident === undefined ? 0 : 10));
    expect(decoded.rows.every((row) => row['host_id'] !== undefined && row['object_size'] !== 0)).toBe(true);
  }
});
