/** Which detectors cannot fire over what an account records: said where it is sure, and nowhere else. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { LoggedTable, Trail, TrailSelection } from '../../src/account.ts';
import { dataEventType, type Recorded, silenceOf } from '../../src/detection/silence.ts';
import { type Condition, type Detector, defineDetector, parameter, z } from '../../src/detector.ts';

const ALL = { read: true, write: true };
const MANAGEMENT: TrailSelection = { management: ALL, excluded: [], data: new Map() };
const trail = (selects: TrailSelection | null, more: Partial<Trail> = {}): Trail => ({
  name: 'main',
  isOrganizations: false,
  isMultiRegion: true,
  homeRegion: 'us-east-1',
  hasGlobalServices: true,
  isLogging: true,
  selects,
  hasInsights: false,
  kmsKey: null,
  ...more,
});
const over = (trails: readonly Trail[], ...tables: LoggedTable[]): Recorded => ({ tables, trails, uncertain: [] });

const detector = (when: Condition, more: Partial<Detector> = {}): Detector =>
  defineDetector({
    id: 'one',
    title: 'One',
    description: 'One.',
    severity: 'low',
    severityReason: 'One.',
    table: 'cloudtrail',
    attack: [],
    when,
    subject: ['principal'],
    summary: 'one',
    falsePositives: [],
    blindSpots: [],
    examples: [],
    ...more,
  });

const GET_OBJECT: Condition = { event_source: 's3.amazonaws.com', event_name: 'GetObject' };
const DECRYPT: Condition = { event_source: 'kms.amazonaws.com', event_name: 'Decrypt' };
const NO_S3 = 'no trail selects data events of AWS::S3::Object';
const withData = (selection: { read: boolean; write: boolean }): TrailSelection => ({
  ...MANAGEMENT,
  data: new Map([['AWS::S3::Object', selection]]),
});

describe('silent is a detector', () => {
  test.each<[string, Detector, Recorded, string | null]>([
    [
      'of a table that nothing fills',
      detector({}, { table: 'waf' }),
      over([trail(MANAGEMENT)], 'cloudtrail'),
      'no web ACL in the regions that were asked logs to a bucket',
    ],
    ['of one that is filled: not', detector({}, { table: 'waf' }), over([], 'waf'), null],
    ['of S3 without access logs', detector({}, { table: 's3_access' }), over([]), 'no bucket logs its requests'],
    ['without a trail', detector({}), over([]), 'no trail is logging to a bucket'],
    [
      'of a trail that is stopped',
      detector({}),
      over([trail(MANAGEMENT, { isLogging: false })]),
      'no trail is logging to a bucket',
    ],
    ['of a trail of which that is not known: not', detector({}), over([trail(null, { isLogging: null })]), null],
    [
      'of Insights events',
      detector({}, { table: 'cloudtrail_insight' }),
      over([trail(MANAGEMENT)]),
      'no trail has Insights events switched on',
    ],
    [
      'of Insights events, where they are on: not',
      detector({}, { table: 'cloudtrail_insight' }),
      over([trail(MANAGEMENT, { hasInsights: true })]),
      null,
    ],
    ['of any call: not', detector({ outcome: 'denied' }), over([trail(MANAGEMENT)]), null],
    ['of objects', detector(GET_OBJECT), over([trail(MANAGEMENT)]), NO_S3],
    [
      'of objects, where any trail selects them: not',
      detector(GET_OBJECT),
      over([trail(MANAGEMENT), trail(withData(ALL))]),
      null,
    ],
    [
      'of reading, where only writing is selected',
      detector(GET_OBJECT),
      over([trail(withData({ read: false, write: true }))]),
      'the trails select no reading data events of AWS::S3::Object',
    ],
    ['of objects, where nobody may ask: not', detector(GET_OBJECT), over([trail(null)]), null],
    [
      'of objects or buckets: not',
      detector({ any: [GET_OBJECT, { event_source: 's3.amazonaws.com', event_name: 'DeleteBucket' }] }),
      over([trail(MANAGEMENT)]),
      null,
    ],
    [
      'of objects in several spellings',
      detector({ all: [{ event_source: 'S3.amazonaws.com' }, { event_name: { is: ['getobject', 'PutObject'] } }] }),
      over([trail(MANAGEMENT)]),
      NO_S3,
    ],
    [
      'of names by a parameter',
      detector(
        { event_source: 's3.amazonaws.com', event_name: parameter('names') },
        { parameters: { names: z.array(z.string()).default(['GetObject']).describe('names') } },
      ),
      over([trail(MANAGEMENT)]),
      NO_S3,
    ],
    [
      'of anything but objects: not',
      detector({ all: [{ event_source: 's3.amazonaws.com' }, { not: GET_OBJECT }] }),
      over([trail(MANAGEMENT)]),
      null,
    ],
    [
      'of names that begin so: not',
      detector({ event_source: 's3.amazonaws.com', event_name: { startswith: 'GetObj' } }),
      over([trail(MANAGEMENT)]),
      null,
    ],
    [
      'that says so itself',
      detector({ event_name: 'GetObject' }, { needsDataEvents: 'AWS::S3::Object' }),
      over([trail(MANAGEMENT)]),
      NO_S3,
    ],
    [
      'of Lambda',
      detector({ event_source: 'lambda.amazonaws.com', event_name: 'Invoke' }),
      over([trail(withData(ALL))]),
      'no trail selects data events of AWS::Lambda::Function',
    ],
    [
      'of KMS, where it is left out',
      detector(DECRYPT),
      over([trail({ ...MANAGEMENT, excluded: ['kms.amazonaws.com'] })]),
      'the trails leave out the management events of kms.amazonaws.com',
    ],
    [
      'of KMS, where one trail takes it: not',
      detector(DECRYPT),
      over([trail({ ...MANAGEMENT, excluded: ['kms.amazonaws.com'] }), trail(MANAGEMENT)]),
      null,
    ],
    [
      'of calls that read, where only writing is selected',
      detector({ event_source: 'ec2.amazonaws.com', event_name: 'DescribeInstances' }),
      over([trail({ ...MANAGEMENT, management: { read: false, write: true } })]),
      'the trails select no reading management events',
    ],
    [
      'of calls of which nobody can say: not',
      detector({ event_source: 'kms.amazonaws.com', event_name: 'Decrypt' }),
      over([trail({ ...MANAGEMENT, management: { read: false, write: true } })]),
      null,
    ],
    [
      'of management events, where there are only data events',
      detector({ event_source: 'iam.amazonaws.com' }),
      over([trail({ ...withData(ALL), management: { read: false, write: false } })]),
      'no trail selects management events',
    ],
    [
      'of S3 as a whole, where there are only data events: not',
      detector({ event_source: 's3.amazonaws.com' }),
      over([trail({ ...withData(ALL), management: { read: false, write: false } })]),
      null,
    ],
    [
      'of IAM without global services',
      detector({ event_source: 'iam.amazonaws.com', event_name: 'CreateUser' }),
      over([trail(MANAGEMENT, { hasGlobalServices: false })]),
      'no trail includes the events of global services',
    ],
    [
      'of which one step of a sequence cannot be',
      {
        ...detector({}),
        when: undefined as never,
        sequence: {
          steps: [{ event_source: 'iam.amazonaws.com' }, { when: GET_OBJECT, atLeast: 3 }],
          by: ['principal'],
          within: '1h',
        },
      },
      over([trail(MANAGEMENT)]),
      NO_S3,
    ],
  ])('%s', (_name, one, recorded, reason) => {
    expect(silenceOf(one, recorded)).toBe(reason);
  });
});

test.each(['cloudtrail', 's3_access', 'waf'] as const)('nobody of %s is, where not all could be asked', (table) => {
  const recorded: Recorded = { tables: [], trails: [], uncertain: [table] };
  expect(silenceOf(detector(GET_OBJECT, { table }), recorded)).toBeNull();
});

test('an ordinary trail silences exactly the detectors that say what data events they need', async () => {
  const folder = resolve('detectors/cloudtrail');
  const detectors: Detector[] = [];
  for (const name of readdirSync(folder)) {
    const module = (await import(pathToFileURL(join(folder, name)).href)) as { detector: Detector };
    detectors.push(module.detector);
  }
  const recorded = over([trail(MANAGEMENT)], 'cloudtrail');
  const silent = detectors.filter((one) => silenceOf(one, recorded) !== null).map(({ id }) => id);
  const declared = detectors.filter(({ needsDataEvents }) => needsDataEvents !== undefined).map(({ id }) => id);
  expect(declared.length).toBeGreaterThan(3);
  expect(silent).toEqual(declared);
  // And by their conditions alone, without what they say of themselves.
  const derived = detectors.filter((one) => {
    const unsaid: { needsDataEvents?: string } & Detector = { ...one };
    delete unsaid.needsDataEvents;
    return silenceOf(unsaid, recorded) !== null;
  });
  const ids = derived.map(({ id }) => id);
  expect(declared).toEqual(expect.arrayContaining(ids));
  // These look for calls on buckets as well, which every trail records.
  expect(declared.filter((id) => !ids.includes(id))).toEqual([
    'anonymous-read-first-seen',
    'bucket-written-without-credentials',
  ]);
});

test.each([
  ['s3.amazonaws.com', 'deleteobjects', 'AWS::S3::Object'],
  ['s3.amazonaws.com', 'getobjectacl', 'AWS::S3::Object'],
  ['s3.amazonaws.com', 'putbucketacl', null],
  ['s3.amazonaws.com', 'listbuckets', null],
  ['dynamodb.amazonaws.com', 'transactgetitems', 'AWS::DynamoDB::Table'],
  ['dynamodb.amazonaws.com', 'deletetable', null],
  ['lambda.amazonaws.com', 'getfunction', null],
  ['ebs.amazonaws.com', 'getsnapshotblock', 'AWS::EC2::Snapshot'],
])('%s %s is a data event of %s', (source, name, type) => {
  expect(dataEventType(source, name)).toBe(type);
});
