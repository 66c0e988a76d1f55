/** Lint: nothing wrong with the catalogue, and each way in which published rules can never fire is told. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { useLinter } from '../../src/cli/wire.ts';
import { backtracks } from '../../src/detection/lint.ts';
import { type Condition, type Detector, type DetectorSpec, defineDetector, parameter, z } from '../../src/detector.ts';

const FOLDER = join(import.meta.dirname, '../../detectors');
const catalogue = await Promise.all(
  readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map(async (file) => {
      const { detector }: { readonly detector: Detector } = await import(pathToFileURL(join(FOLDER, file)).href);
      return detector;
    }),
);

const problemsOf = (detector: Detector): Promise<readonly string[]> =>
  useLinter(catalogue, new Map(), async (lint) =>
    (await lint(detector)).map(({ level, rule, at, message }) => `${level} ${rule} ${at}: ${message}`),
  );

const fed = (when: Condition, spec: Partial<DetectorSpec> = {}): Detector =>
  defineDetector({
    id: 'fed-in',
    title: 'Fed in',
    description: 'A rule as it was published.',
    severity: 'medium',
    severityReason: 'As published.',
    table: 'cloudtrail',
    attack: [{ technique: 'T1562.008', version: 16 }],
    when,
    slot: 'event',
    subject: ['principal'],
    summary: '{principal} called {event_name}',
    falsePositives: ['None.'],
    blindSpots: ['None.'],
    examples: [
      {
        name: 'fires',
        records: [{ eventSource: 'iam.amazonaws.com', eventName: 'CreateUser' }],
        alerts: [{ subject: {} }],
      },
      { name: 'does not', records: [{ eventSource: 'iam.amazonaws.com', eventName: 'GetUser' }], alerts: [] },
    ],
    ...spec,
  });

test('there is nothing wrong with any detector of the catalogue', async () => {
  const problems = await useLinter(catalogue, new Map(), async (lint) => {
    const told: string[] = [];
    for (const detector of catalogue)
      for (const { level, rule, at, message } of await lint(detector))
        told.push(`${detector.id}: ${level} ${rule} ${at}: ${message}`);
    return told;
  });
  expect(problems).toEqual([]);
});

describe('published rules that can never fire', () => {
  test.each<readonly [string, Detector, readonly string[]]>([
    [
      'an event source with an underscore in it (tailpipe, Route 53)',
      fed({ event_source: 'route_53.amazonaws.com', event_name: 'DisableDomainTransferLock' }),
      [
        "error event-source when.event_source: no service logs as 'route_53.amazonaws.com'. Did you mean 'route53.amazonaws.com'?",
      ],
    ],
    [
      'calls of route53domains under route53 (sigma, domain transfers)',
      fed({
        event_source: 'route53.amazonaws.com',
        event_name: ['DisableDomainTransferLock', 'TransferDomainToAnotherAwsAccount'],
      }),
      [
        "error event-name when.event_name: route53.amazonaws.com logs no event 'DisableDomainTransferLock'. It is an event of route53domains.amazonaws.com.",
        "error event-name when.event_name: route53.amazonaws.com logs no event 'TransferDomainToAnotherAwsAccount'. It is an event of route53domains.amazonaws.com.",
      ],
    ],
    [
      'IAM actions instead of event names (sigma, S3 tampering)',
      fed({
        event_source: 's3.amazonaws.com',
        event_name: [
          'PutBucketLogging',
          'PutEncryptionConfiguration',
          'PutLifecycleConfiguration',
          'PutReplicationConfiguration',
          'ReplicateObject',
        ],
      }),
      ['PutEncryptionConfiguration', 'PutLifecycleConfiguration', 'PutReplicationConfiguration', 'ReplicateObject'].map(
        (name) =>
          expect.stringMatching(
            `^error event-name when.event_name: s3.amazonaws.com logs no event '${name}'`,
          ) as string,
      ),
    ],
    [
      'one source over the calls of others (suzaku, recon burst)',
      fed({
        all: [
          { event_source: 'iam.amazonaws.com' },
          { event_name: ['ListUsers', 'GetCallerIdentity', 'DescribeInstances'] },
        ],
      }),
      [
        "error event-name when.all[1].event_name: iam.amazonaws.com logs no event 'GetCallerIdentity'. It is an event of sts.amazonaws.com.",
        expect.stringMatching(
          "^error event-name when.all\\[1\\].event_name: iam.amazonaws.com logs no event 'DescribeInstances'",
        ),
      ],
    ],
    [
      'a field that records have not (tailpipe, large downloads)',
      fed(
        { event_source: 's3.amazonaws.com', event_name: 'GetObject', 'request_parameters.size': { gt: 104_857_600 } },
        { needsDataEvents: 'AWS::S3::Object' },
      ),
      [
        'error field-path when.request_parameters.size: no record of an example has requestParameters.size: nothing shows that AWS writes such a field',
      ],
    ],
    [
      'a column that there is not (sigma, SAML provider deleted)',
      fed({ event_source: 'iam.amazonaws.com', event_name: 'DeleteSAMLProvider', status: 'success' }),
      [expect.stringMatching("^error unusable : the table cloudtrail has no column 'status'")],
    ],
    [
      'a number that no technique has (tailpipe)',
      fed(
        { event_source: 'iam.amazonaws.com', event_name: 'CreateUser' },
        { attack: [{ technique: 'T1098.100', version: 16 }] },
      ),
      [expect.stringMatching('^error technique attack\\[0\\]: ATT&CK has no technique T1098.100')],
    ],
    [
      'a technique of the matrix of mobile devices (tailpipe)',
      fed(
        { event_source: 'iam.amazonaws.com', event_name: 'CreateUser' },
        { attack: [{ technique: 'T1478', version: 16 }] },
      ),
      [expect.stringMatching('^error technique attack\\[0\\]: ATT&CK has no technique T1478')],
    ],
    [
      'a number of before version 19',
      fed(
        { event_source: 'iam.amazonaws.com', event_name: 'CreateUser' },
        { attack: [{ technique: 'T1562.008', version: 19 }] },
      ),
      ['error technique attack[0]: T1562.008 is not in ATT&CK 19: 18 was the last version that had it'],
    ],
    [
      'a number of version 19 before it',
      fed(
        { event_source: 'iam.amazonaws.com', event_name: 'CreateUser' },
        { attack: [{ technique: 'T1685.002', version: 16 }] },
      ),
      ['error technique attack[0]: T1685.002 is not in ATT&CK 16: it came with 19'],
    ],
  ])('%s', async (_, detector, expected) => {
    expect(await problemsOf(detector)).toEqual(expected);
  });

  test.each(['TA004', 'TA0040:T1478'])('%s, which is no technique at all, does not load', (technique) => {
    const detector = (): Detector => fed({ event_name: 'CreateUser' }, { attack: [{ technique, version: 16 }] });
    expect(detector).toThrow(`attack names '${technique}'`);
  });

  test.each(['T1685', 'T1685.002', 'T1686.001'])('%s is a technique of version 19', async (technique) => {
    const detector = fed(
      { event_source: 'iam.amazonaws.com', event_name: 'CreateUser' },
      { attack: [{ technique, version: 19 }] },
    );
    expect(await problemsOf(detector)).toEqual([]);
  });
});

describe('what can never hold', () => {
  const create = { event_source: 'iam.amazonaws.com', event_name: 'CreateUser' };
  test.each<readonly [string, Condition, readonly string[]]>([
    [
      'two names at once',
      { all: [create, { event_name: 'DeleteUser' }] },
      [
        "error contradiction when.all[1].event_name: it can never hold: 'event_name' cannot be 'CreateUser' and 'DeleteUser' at once",
      ],
    ],
    [
      'a name that is ruled out',
      { ...create, not: { event_name: 'createuser' } },
      [
        "error contradiction when.not.event_name: it can never hold: 'event_name' cannot be 'CreateUser' and not be 'createuser'",
      ],
    ],
    [
      'an empty list',
      { ...create, aws_region: [] },
      [expect.stringMatching("^error contradiction .*'aws_region' is compared with an empty list$")],
    ],
    ['no branch at all', { ...create, any: [] }, [expect.stringMatching('^error contradiction')]],
    [
      'a value that has to be there and not to be there',
      { ...create, error_code: { exists: false, startswith: 'Access' } },
      ["error contradiction when.error_code: it can never hold: 'error_code' has no value and is compared with one"],
    ],
    [
      'one branch of two',
      { any: [create, { all: [create, { aws_region: 'us-east-1' }, { aws_region: 'eu-west-1' }] }] },
      [
        "warning dead-branch when.any[1].all[2].aws_region: a part can never hold: 'aws_region' cannot be 'us-east-1' and 'eu-west-1' at once",
      ],
    ],
    [
      'a value that a derived column never takes',
      { ...create, outcome: 'Success' },
      ["error never-taken when.outcome: 'outcome' is never 'Success': it takes success, denied, failed"],
    ],
    [
      'a value that a column of AWS should not take',
      { ...create, user_type: 'User' },
      [expect.stringMatching("^warning never-taken when.user_type: 'user_type' is never 'User'")],
    ],
    [
      'a code of a failed sign-in',
      { event_source: 'signin.amazonaws.com', event_name: 'ConsoleLogin', error_code: 'Failed' },
      [
        "error never-filled when.error_code: 'error_code' has no value here: a failed ConsoleLogin has an error message and no code; compare outcome",
      ],
    ],
    [
      'the response of a call that only reads',
      { event_source: 'iam.amazonaws.com', event_name: 'ListUsers', response_elements: { contains: 'x' } },
      [
        "error never-filled when.response_elements: 'response_elements' has no value here: calls that only read have no response",
      ],
    ],
    [
      'a name that nothing begins with',
      { event_source: 'iam.amazonaws.com', event_name: { startswith: 'Destroy' } },
      ["error event-name when.event_name: iam.amazonaws.com logs no event 'startswith Destroy'."],
    ],
    [
      'a name that is only left out',
      { event_source: 'iam.amazonaws.com', not: { event_name: 'CreateUsr' } },
      [
        "warning event-name when.not.event_name: iam.amazonaws.com logs no event 'CreateUsr'. Did you mean 'CreateUser'?",
      ],
    ],
  ])('%s', async (_, when, expected) => {
    expect(await problemsOf(fed(when))).toEqual(expected);
  });

  test('a number compared with a text', async () => {
    const [first] = await problemsOf(fed({ mfa: 'yes' }));
    expect(first).toMatch(/^error unusable : 'mfa' is compared by 'is' with "yes", expected true or false/u);
  });
});

describe('what else is told', () => {
  const create = { event_source: 'iam.amazonaws.com', event_name: 'CreateUser' };
  test('a pattern that RE2 refuses, and one that takes Athena very long', async () => {
    expect(await problemsOf(fed({ ...create, user_agent: { re: '(?=curl)' } }))).toEqual([
      expect.stringMatching('^error regex '),
    ]);
    expect(await problemsOf(fed({ ...create, user_agent: { re: '([a-z]+)+$' } }))).toEqual([
      expect.stringMatching('^warning regex when.user_agent: the pattern '),
    ]);
    expect(await problemsOf(fed({ ...create, user_agent: { re: 'curl(' } }))).toEqual([
      expect.stringMatching('^error unusable '),
    ]);
  });

  test.each([
    ['(a+)+', true],
    ['(?:a*b)*', true],
    ['((a|b)+c)+d', true],
    ['(a{2,})*', true],
    ['(ab)+', false],
    ['[(+)]+a+', false],
    ['\\(a+\\)+', false],
    ['^[a-z]+://[^/]+/', false],
  ])('whether %s repeats what repeats: %s', (pattern, expected) => {
    expect(backtracks(pattern)).toBe(expected);
  });

  test('a detector without examples', async () => {
    expect(await problemsOf(fed(create, { examples: [] }))).toEqual([
      'error examples examples: it has no example: nothing shows that it can fire',
    ]);
  });

  test('data events that it does not say it needs', async () => {
    expect(await problemsOf(fed({ event_source: 's3.amazonaws.com', event_name: ['GetObject', 'PutObject'] }))).toEqual(
      [
        'warning data-events needsDataEvents: it sees nothing without data events of AWS::S3::Object: say so in needsDataEvents',
      ],
    );
  });

  test('a parameter that nothing uses, and a name of events in one that is used', async () => {
    const parameters = {
      calls: z.array(z.string()).default(['CreateUsr']).describe('Calls.'),
      idle: z.number().default(1).describe('Nothing.'),
    };
    expect(
      await problemsOf(fed({ event_source: 'iam.amazonaws.com', event_name: parameter('calls') }, { parameters })),
    ).toEqual([
      "warning parameter parameters.idle: nothing uses the parameter 'idle'",
      "error event-name when.event_name: iam.amazonaws.com logs no event 'CreateUsr'. Did you mean 'CreateUser'?",
    ]);
  });

  test('what SQL compares with, and SQL that no engine runs', async () => {
    const { when: _, ...spec } = fed(create);
    const of = (sql: string): Detector => defineDetector({ ...spec, slot: '1h', sql });
    const columns = 'principal, min(event_time) AS first_seen, max(event_time) AS last_seen, count(*) AS count';
    expect(
      await problemsOf(
        of(`SELECT ${columns} FROM cloudtrail WHERE event_name IN ('CreateUsr') AND outcome = 'ok' GROUP BY 1`),
      ),
    ).toEqual([
      "error never-taken sql: 'outcome' is never 'ok': it takes success, denied, failed",
      "error event-name sql: no service logs an event 'CreateUsr'. Did you mean 'CreateUser'?",
    ]);
    expect(await problemsOf(of(`SELECT ${columns} FROM cloudtrail WHERE evnt_name = 'CreateUser' GROUP BY 1`))).toEqual(
      [expect.stringMatching('^error unusable sql: ')],
    );
  });
});
