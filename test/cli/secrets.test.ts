/** Secrets of every kind, planted in records, in what could not be decoded and in names of files: nothing of them leaves the store but by one's own SQL. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newFolder, type Outcome, trailhound } from './run.ts';

/** Stands in every secret, and nowhere else. */
const SECRET = '5ecret';
const KEY = 'AKIAIOSFODNN7EXAMPLE';
/** Thirty processes, one after the other. */
const HOOK_MS = 300_000;
const FORMS = ['table', 'json', 'jsonl', 'csv', 'markdown'];

const QUERY = `X-Amz-Credential=${KEY}%2F${SECRET}&X-Amz-Signature=${SECRET}1&X-Amz-Security-Token=${SECRET}2`;
const CREDENTIALS = { accessKeyId: KEY, sessionToken: `${SECRET}3`, secretAccessKey: `${SECRET}4` };
const HEADERS = [
  { name: 'Host', value: 'example.com' },
  { name: 'Cookie', value: `a=1; id="${SECRET}5"` },
  { name: 'authorization', value: `Bearer ${SECRET}6` },
  { name: 'X-Tenant-Pin', value: `${SECRET}7` },
];
const cloudtrail = {
  eventVersion: '1.09',
  userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/alice', userName: 'alice' },
  eventTime: '2026-01-05T10:00:00Z',
  eventSource: 'sts.amazonaws.com',
  eventName: 'GetSessionToken',
  awsRegion: 'us-east-1',
  sourceIPAddress: '198.51.100.7',
  userAgent: `curl Authorization: Basic ${SECRET}8`,
  errorMessage: `refused https://b.s3.amazonaws.com/k?${QUERY}`,
  requestParameters: {
    url: `https://h/?${QUERY}`,
    masterUserPassword: `${SECRET}9`,
    headers: { cookie: [`${SECRET}a`] },
  },
  responseElements: { credentials: CREDENTIALS },
  recipientAccountId: '111122223333',
  eventID: '00000000-0000-4000-8000-000000000001',
};
const waf = {
  timestamp: Date.UTC(2026, 0, 5, 10),
  formatVersion: 1,
  webaclId: 'arn:aws:wafv2:us-east-1:111122223333:regional/webacl/acl/00000000',
  terminatingRuleId: 'Default_Action',
  terminatingRuleType: 'REGULAR',
  action: 'ALLOW',
  httpSourceName: 'ALB',
  httpSourceId: '111122223333-app/lb/1',
  ruleGroupList: [],
  rateBasedRuleList: [],
  nonTerminatingMatchingRules: [],
  httpRequest: {
    clientIp: '198.51.100.7',
    country: 'DE',
    headers: HEADERS,
    uri: '/login',
    args: QUERY,
    httpVersion: 'HTTP/2.0',
    httpMethod: 'GET',
    requestId: '1-2-3',
  },
};
const S3_LINE = `${'7'.repeat(64)} bucket-a [05/Jan/2026:10:00:00 +0000] 198.51.100.7 arn:aws:iam::111122223333:user/alice 3E57427F3EXAMPLE REST.GET.OBJECT b%253F${QUERY.replaceAll('=', '%253D').replaceAll('&', '%2526')} "GET /b?${QUERY} HTTP/1.1" 200 - 1 1 1 1 "https://h/?access_token=${SECRET}b" "curl Cookie: ${SECRET}c" - host SigV4 TLS QueryString bucket-a.s3.amazonaws.com TLSv1.2 - -`;

const detector = (id: string, table: string, subject: readonly string[], summary: string) =>
  [
    `id: ${id}`,
    'title: Secrets',
    'description: Quotes all that may hold a secret.',
    'severity: high',
    'severityReason: A test.',
    `table: ${table}`,
    'attack: []',
    'when: { source_ip: 198.51.100.7 }',
    'slot: event',
    `subject: [${subject.join(', ')}]`,
    `summary: '${summary}'`,
    'falsePositives: [None.]',
    'blindSpots: [None.]',
    'examples: []',
  ].join('\n');

const cwd = newFolder();
const run = (...args: string[]) => trailhound([...args, '--config', join(cwd, 'trailhound.yaml')], { cwd });
const told: Outcome[] = [];

beforeAll(async () => {
  const logs = join(cwd, `logs?X-Amz-Signature=${SECRET}d`);
  mkdirSync(join(cwd, 'detectors'));
  mkdirSync(logs);
  writeFileSync(join(cwd, 'trailhound.yaml'), 'mask: [x-tenant-pin]\n');
  const rules: readonly (readonly [string, string, readonly string[], string])[] = [
    [
      'call-quoted',
      'cloudtrail',
      ['principal', 'user_agent', 'response_elements.credentials.sessionToken', 'request_parameters.url'],
      '{response_elements} {error_message} {request_parameters} {request_parameters.masterUserPassword} {user_agent}',
    ],
    ['request-quoted', 'waf', ['source_ip', 'args'], '{headers} {args}'],
    ['object-quoted', 's3_access', ['principal', 'request_uri'], '{request_uri} {key} {referrer} {user_agent}'],
  ];
  for (const [id, ...rest] of rules) writeFileSync(join(cwd, 'detectors', `${id}.yaml`), detector(id, ...rest));
  const whole = JSON.stringify({ Records: [cloudtrail] });
  writeFileSync(join(logs, 'cloudtrail.json'), whole);
  writeFileSync(join(logs, 'waf.log'), `${JSON.stringify(waf)}\n`);
  writeFileSync(join(logs, 's3-access'), `${S3_LINE}\n`);
  // Broken in the middle, at the end, and in what holds all of it.
  writeFileSync(join(logs, `cut.json`), whole.slice(0, whole.indexOf(`${SECRET}3`) + 6));
  writeFileSync(join(logs, `broken.json`), whole.replace('"awsRegion"', '"awsRegion" 17 '));
  writeFileSync(join(logs, `broken-waf.log`), JSON.stringify(waf).replace('"country":"DE"', `"country":"D\tE"`));
  writeFileSync(join(logs, `broken-access`), `${S3_LINE.replace('[05/Jan/2026:10:00:00 +0000]', '[then')}\n`);
  writeFileSync(
    join(logs, `damaged-sessionToken=${SECRET}e.json.gz`),
    Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]),
  );
  told.push(await run('scan', logs), await run('scan', logs, '--output', 'json', '--store', 'store-json'));
  for (const form of FORMS) {
    told.push(await run('alerts', 'list', '--limit', '0', '--output', form));
    told.push(await run('status', '--rejects', '--output', form));
  }
  told.push(await run('hunt'), await run('hunt', '--output', 'jsonl'), await run('status'));
  const ids = JSON.parse((await run('alerts', 'list', '--output', 'json')).stdout) as { id: string }[];
  for (const { id } of ids)
    told.push(await run('alerts', 'show', id), await run('alerts', 'show', id, '--output', 'json'));
  // Messages that quote what they were given.
  told.push(
    await run('scan', join(cwd, `nowhere?X-Amz-Signature=${SECRET}f`)),
    await run('scan', `--password=${SECRET}g`, logs),
    await run('hunt', '--param', `Cookie: ${SECRET}h`),
    await run('sql', `SELECT CAST('X-Amz-Signature=${SECRET}i' AS INTEGER)`, '--log-level', 'debug'),
    await run('ingest', logs, '--store', 'store-debug', '--log-level', 'debug'),
  );
}, HOOK_MS);

afterAll(() => rmSync(cwd, { recursive: true }));

test('the secrets are there, each where it was planted', async () => {
  const { stdout, stderr } = await run('alerts', 'list', '--output', 'json');
  const alerts = JSON.parse(stdout) as { detector: string; summary: string }[];
  expect(alerts.map((alert) => alert.detector).toSorted(), stderr).toEqual(
    expect.arrayContaining(['call-quoted', 'object-quoted', 'request-quoted']),
  );
  const rejects = JSON.parse((await run('status', '--rejects', '--output', 'json')).stdout) as { text: string }[];
  expect(rejects.filter(({ text }) => text.includes('****')).length).toBeGreaterThanOrEqual(4);
});

test('nothing that was told holds any of them', () => {
  for (const { stdout, stderr } of told) {
    expect(stdout).not.toContain(SECRET);
    expect(stderr).not.toContain(SECRET);
  }
  expect(told.some(({ stdout }) => stdout.includes('X-Amz-Credential=AKIA****&X-Amz-Signature=****'))).toBe(true);
});

test('alerts are masked where they are kept, events are kept as delivered and told to whoever asks', async () => {
  const alerts = await run('sql', 'SELECT * FROM alert', '--output', 'json');
  expect(alerts.stdout).toContain('call-quoted');
  expect(alerts.stdout).not.toContain(SECRET);
  const events = await run('sql', 'SELECT response_elements FROM cloudtrail', '--output', 'json');
  expect(events.stdout).toContain(`${SECRET}3`);
});

test('a name that comes to the config later is masked in alerts that are there already', async () => {
  const config = join(cwd, 'later.yaml');
  writeFileSync(config, 'mask: [principal]\n');
  for (const words of [['alerts', 'list'], ['hunt']]) {
    const { stdout } = await trailhound([...words, '--config', config, '--output', 'json'], { cwd });
    const alerts = JSON.parse(stdout) as { subject: Record<string, string> }[];
    expect(alerts.flatMap(({ subject }) => subject['principal'] ?? []).filter((text) => text !== '****')).toEqual([]);
    expect(stdout).toContain('"principal": "****"');
  }
});

describe('outside of the lake and the catalog', () => {
  const filesUnder = (dir: string): string[] =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .map((name) => join(dir, name))
      .filter((path) => statSync(path).isFile());

  test('no file was written that holds one', () => {
    const written = filesUnder(cwd).filter((path) => !/logs[?]|\/lake\/|catalog[.]duckdb/.test(path));
    expect(written.length).toBeGreaterThan(0);
    for (const path of written) expect([path, readFileSync(path).includes(SECRET)]).toEqual([path, false]);
  });

  test('what holds them is its owner’s alone', () => {
    for (const path of filesUnder(join(cwd, '.trailhound')))
      expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
  });
});

describe('what is redacted', () => {
  const REDACTED = [
    'cloudtrail.response_elements.credentials.sessionToken',
    'cloudtrail.request_parameters.headers',
    'cloudtrail.user_agent',
    'waf.headers.cookie',
    'waf.headers.x-tenant-pin',
    's3_access.referrer',
  ];
  const sql = async (store: string, statement: string): Promise<unknown> => {
    const { stdout, stderr } = await run('sql', statement, '--output', 'json', '--store', store);
    expect(stderr).not.toContain('error');
    return JSON.parse(stdout);
  };
  let ingested: Outcome;

  beforeAll(async () => {
    const config = join(cwd, 'redact.yaml');
    writeFileSync(config, `redact:\n${REDACTED.map((text) => `  - ${text}\n`).join('')}`);
    const logs = join(cwd, `logs?X-Amz-Signature=${SECRET}d`);
    ingested = await trailhound(['ingest', logs, resolve('sample-logs'), '--store', 'redacted', '--config', config], {
      cwd,
    });
    await trailhound(['ingest', logs, resolve('sample-logs'), '--store', 'whole'], { cwd });
  }, HOOK_MS);

  test('is counted, and not stored', async () => {
    expect(ingested.status, ingested.stderr).toBe(0);
    expect(ingested.stderr).toMatch(/, [\d,]+ values redacted/);
    const [row] = (await sql(
      'redacted',
      `SELECT response_elements, request_parameters, user_agent FROM cloudtrail WHERE event_id = '${cloudtrail.eventID}'`,
    )) as Record<string, string | null>[];
    expect(JSON.parse(row?.['response_elements'] ?? '')).toEqual({
      credentials: { accessKeyId: KEY, secretAccessKey: `${SECRET}4` },
    });
    expect(JSON.parse(row?.['request_parameters'] ?? '')).toEqual({
      ...cloudtrail.requestParameters,
      headers: undefined,
    });
    expect(row?.['user_agent']).toBeNull();
    expect(await sql('redacted', "SELECT headers FROM waf WHERE request_id = '1-2-3'")).toEqual([
      { headers: JSON.stringify([HEADERS[0], HEADERS[2]]) },
    ]);
    expect(await sql('redacted', 'SELECT referrer FROM s3_access WHERE referrer IS NOT NULL')).toEqual([]);
  });

  test('leaves everything else, by the byte', async () => {
    const others = (store: string) =>
      sql(
        store,
        `SELECT count(*) AS n, bit_xor(hash(COLUMNS(* EXCLUDE (log_file, record_no, user_agent, response_elements, request_parameters)))) FROM cloudtrail`,
      );
    expect(await others('redacted')).toEqual(await others('whole'));
    const untouched = (store: string) =>
      sql(
        store,
        `SELECT count(*) AS n, bit_xor(hash(request_parameters)) AS requests, bit_xor(hash(response_elements)) AS responses FROM cloudtrail
        WHERE event_source <> 'sts.amazonaws.com' AND json_extract(request_parameters, '$.headers') IS NULL`,
      );
    const [counted] = (await untouched('redacted')) as { n: number }[];
    expect(counted?.n).toBeGreaterThan(500);
    expect([counted]).toEqual(await untouched('whole'));
  });

  test('is masked in rejects by its name', async () => {
    const texts = JSON.stringify(await sql('redacted', 'SELECT * FROM reject'));
    const stored = Buffer.from(texts.replaceAll(/[^A-Za-z0-9+/]/g, ' ')).toString();
    const decoded = stored
      .split(' ')
      .filter((word) => word.length > 40)
      .map((word) => Buffer.from(word, 'base64').toString('latin1'))
      .join('\n');
    expect(`${texts}${decoded}`).not.toContain(`${SECRET}3`);
    expect(`${texts}${decoded}`).toContain('****');
  });

  test('takes nothing from the sums', async () => {
    const status = JSON.parse((await run('status', '--output', 'json', '--store', 'redacted')).stdout) as {
      balanced: boolean;
    };
    expect(status.balanced).toBe(true);
    expect((await run('store', 'check', '--store', 'redacted')).status).toBe(0);
  });
});
