/** The benchmark's archive: the same for the same shape, and exactly as large as asked for. */
import { expect, test } from 'vitest';
import { plan } from '../../bench/corpus.ts';
import { logFileText } from '../../bench/world.ts';

const shape = { name: 'test', events: 250_000, days: 10, seed: 7 };

test('a plan holds as many events as asked for, spread over its days, with one incident in about 100,000', () => {
  const jobs = plan(shape);
  expect(jobs.reduce((total, job) => total + job.records, 0)).toBe(shape.events);
  expect(new Set(jobs.map((job) => job.path.split('/').slice(4, 7).join('-'))).size).toBe(shape.days);
  expect(jobs.filter((job) => job.incident !== undefined)).toHaveLength(3);
});

test('a quiet plan is the same archive without its incidents', () => {
  const jobs = plan(shape);
  const quiet = plan({ ...shape, quiet: true });
  expect(quiet.some((job) => 'incident' in job)).toBe(false);
  expect(jobs).toMatchObject(quiet);
});

test('files of a fixed number of records have that number', () => {
  const jobs = plan({ ...shape, events: 1000, recordsPerFile: 5 });
  expect(new Set(jobs.map((job) => job.records))).toEqual(new Set([5]));
});

test('a log file is the same whenever it is made, and every event id is its own', () => {
  const [job] = plan(shape).filter(({ incident }) => incident !== undefined);
  if (job === undefined) throw new Error('no file with an incident');
  const { text, records } = logFileText(job);
  expect(logFileText(job).text).toBe(text);
  const ids = (JSON.parse(text) as { Records: { eventID: string }[] }).Records.map(({ eventID }) => eventID);
  expect(ids).toHaveLength(records);
  expect(new Set(ids).size).toBe(records);
  expect(records).toBeGreaterThan(job.records);
});
