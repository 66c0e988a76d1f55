/** The names of events and techniques that are shipped, against records that AWS wrote. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { TECHNIQUES, techniqueIn } from '../../src/attack.ts';
import { parseEventNames, parseTechniques } from '../../src/detection/facts.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const events = parseEventNames(read('facts/event-names.txt'));
const techniques = parseTechniques(read('facts/attack.txt'));
/** As the column event_name has it. */
const plain = (name: string): string => name.replace(/_?20\d{2}_?\d{2}_?\d{2}(?:v\d+)?$/u, '');

/** What test events of published rules made up, mostly by mixing the event of one service with the source of another. */
const MADE_UP = [
  'cloudtrail.amazonaws.com EnableRegion',
  'cloudwatch.amazonaws.com PutLogEvents',
  'cloudwatch.amazonaws.com PutMetricData',
  'ec2.amazonaws.com DeleteBucketPublicAccessBlock',
  'ec2.amazonaws.com PutBucketLogging',
  'lambda.amazonaws.com InvokeFunction',
  's3.amazonaws.com CreateServiceLinkedRole',
  's3.amazonaws.com ListBucket',
];

test('every event of the public records is known, but for those that were made up', () => {
  const seen = read('test/fixtures/event-names-seen.txt')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => {
      const [source = '', ...names] = line.split(' ');
      return names.map((name) => [source, name] as const);
    });
  expect(seen.length).toBeGreaterThan(300);
  const unknown = seen.filter(([source, name]) => !events.has(source, plain(name))).map((pair) => pair.join(' '));
  expect(unknown).toEqual(MADE_UP);
});

/** Files of the sample logs that no reader of gzip takes, on purpose. */
const DAMAGED = '_us-east-1_20260304T010';

test('every event of the sample logs is known', () => {
  const folder = join(ROOT, 'sample-logs');
  const pairs = new Set<string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (one) => one.endsWith('.json.gz') && !one.includes(DAMAGED),
  )) {
    const text = gunzipSync(readFileSync(join(folder, name))).toString('utf8');
    for (const [, source, event] of text.matchAll(/"eventSource":"([^"]+)".{0,200}?"eventName":"([^"]+)"/gu))
      pairs.add(`${source} ${plain(event ?? '')}`);
  }
  expect(pairs.size).toBeGreaterThan(20);
  const unknown = [...pairs].filter((pair) => !events.has(pair.split(' ')[0] ?? '', pair.split(' ')[1] ?? ''));
  expect(unknown).toEqual([]);
});

test('names are compared regardless of case, and told by their source', () => {
  expect(events.has('ROUTE53DOMAINS.amazonaws.com', 'disabledomaintransferlock')).toBe(true);
  expect(events.sourcesOf('DisableDomainTransferLock')).toEqual(['route53domains.amazonaws.com']);
  expect(events.isSource('route_53.amazonaws.com')).toBe(false);
});

test('each source says where it is from', () => {
  const head = read('facts/event-names.txt')
    .split('\n')
    .filter((line) => line.startsWith('#'));
  expect(head[1]).toMatch(
    /botocore \d+[.]\d+[.]\d+ \(Apache-2[.]0\), https:\/\/pypi[.]org\/\S+, read on \d{4}-\d{2}-\d{2}/u,
  );
  const [documented, pages] = [/^# \S+: /u, /^# {3}https:\/\/docs[.]aws[.]amazon[.]com\//u].map(
    (pattern) => head.slice(3).filter((line) => pattern.test(line)).length,
  );
  expect(documented).toBeGreaterThan(5);
  expect(pages).toBe(documented);
});

test('every technique that detectors use is one of ATT&CK, under each of its numbers', () => {
  const missing = Object.keys(TECHNIQUES).flatMap((id) =>
    [16, 17, 18, 19].flatMap((version) => {
      const from = techniques.get(id)?.first ?? 16;
      const number = techniqueIn(id, from, Math.max(from, version));
      const technique = techniques.get(number);
      const isThere =
        technique !== undefined && technique.first <= Math.max(from, version) && (technique.last ?? 99) >= version;
      return isThere ? [] : [`${id} in ${version}`];
    }),
  );
  expect(missing).toEqual([]);
});
