/** What is known beside the logs, from files of the config to alerts, SQL and suppressions, through the built command line. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mmdb } from '../support/mmdb.ts';
import { newFolder, trailhound } from './run.ts';

const cwd = newFolder();
afterAll(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 3 }));

let number = 0;
const login = (sourceIPAddress: string, recipientAccountId = '111122223333') => ({
  eventVersion: '1.08',
  eventID: `11111111-1111-4111-8111-${String((number += 1)).padStart(12, '0')}`,
  eventTime: `2026-01-05T10:00:${String(number).padStart(2, '0')}Z`,
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  awsRegion: 'us-east-1',
  sourceIPAddress,
  userIdentity: {
    type: 'IAMUser',
    accountId: recipientAccountId,
    arn: `arn:aws:iam::${recipientAccountId}:user/alice`,
    userName: 'alice',
  },
  responseElements: { ConsoleLogin: 'Success' },
  additionalEventData: { MFAUsed: 'Yes' },
  readOnly: false,
  recipientAccountId,
});

const CONFIG = `
sources: [./logs]
lists: { tor: tor.txt }
enrichment:
  mmdb: { country: addresses.mmdb, asn: addresses.mmdb }
  networks: { office: [192.0.2.0/25, '2001:db8:100::/48'] }
  threats: [tor]
  accounts: accounts.yaml
`;
const COUNTRIES = 'console-login-from-several-countries';
const run = (...args: string[]) => trailhound(args, { cwd });

beforeAll(() => {
  mkdirSync(join(cwd, 'logs'));
  writeFileSync(
    join(cwd, 'logs/one.json'),
    JSON.stringify({ Records: [login('192.0.2.10'), login('203.0.113.9'), login('2001:DB8:100::1', '444455556666')] }),
  );
  writeFileSync(
    join(cwd, 'addresses.mmdb'),
    mmdb('Example', {
      '192.0.2.0/24': { country: 'DE', asn: 'AS64496', as_name: 'Example Net' },
      '203.0.113.0/24': { country: 'BR', asn: 'AS64511', as_name: 'Example Hosting' },
    }),
  );
  writeFileSync(join(cwd, 'tor.txt'), '203.0.113.0/28\n');
  writeFileSync(
    join(cwd, 'accounts.yaml'),
    "accounts:\n  - { id: '111122223333', name: payments, ou: Root/Prod, tags: { env: prod } }\n  - { id: '444455556666', name: lab, ou: Root/Sandbox/Lab }\n",
  );
  writeFileSync(join(cwd, 'trailhound.yaml'), CONFIG);
});

describe('with what the config names', () => {
  test('an alert has what is known, and says it where people read it', async () => {
    const scanned = await run('scan', './logs', '--output', 'json');
    expect(scanned.status).toBe(0);
    const alerts = JSON.parse(scanned.stdout) as readonly Record<string, unknown>[];
    expect(alerts.find(({ detector }) => detector === COUNTRIES)).toMatchObject({
      summary: expect.stringContaining('signed in from 2 countries within an hour, first from 192.0.2.10 in DE'),
      context: {
        addresses: {
          '192.0.2.10': { country: 'DE', asn: 64_496, as_name: 'Example Net', network: 'office' },
          '203.0.113.9': { country: 'BR', asn: 64_511, as_name: 'Example Hosting', threat: 'tor' },
        },
        accounts: { '111122223333': { name: 'payments', ou: 'Root/Prod', tags: { env: 'prod' } } },
      },
    });
    const [id = ''] = alerts.flatMap((alert) => (alert['detector'] === COUNTRIES ? [String(alert['id'])] : []));
    const { stdout } = await run('alerts', 'show', id);
    expect(stdout).toContain(
      '192.0.2.10 (office, DE, AS64496 Example Net), 203.0.113.9 (listed: tor, BR, AS64511 Example Hosting)',
    );
    expect(stdout).toContain('111122223333 (payments, Root/Prod)');
  });

  test('SQL sees columns where they are named, and none of them in *', async () => {
    const asked = await run(
      'sql',
      "SELECT c.source_country, source_network, source_threat, account_name, json_extract_string(account_tags, '$.env') AS env FROM cloudtrail AS c ORDER BY c.event_time",
      '--output',
      'csv',
    );
    expect(asked.stdout).toBe(
      'source_country,source_network,source_threat,account_name,env\nDE,office,,payments,prod\nBR,,tor,payments,prod\n,office,,lab,\n',
    );
    const all = await run('sql', 'SELECT * FROM cloudtrail LIMIT 1', '--output', 'json');
    expect(Object.keys((JSON.parse(all.stdout) as readonly object[])[0] ?? {})).not.toContain('source_country');
    const known = await run(
      'sql',
      'SELECT account_id, ou FROM known_account ORDER BY 1',
      '--portable',
      '--output',
      'csv',
    );
    expect(known.stdout).toBe('account_id,ou\n111122223333,Root/Prod\n444455556666,Root/Sandbox/Lab\n');
  });

  test('the accounts of the file are listed, and the config is checked with them', async () => {
    expect((await run('accounts', 'list', '--output', 'csv')).stdout).toContain('444455556666,lab,Root/Sandbox/Lab,');
    expect((await run('config', 'check')).stderr).toContain('1 list, 2 accounts');
  });

  test('a suppression looks at what is known', async () => {
    writeFileSync(
      join(cwd, 'quiet.yaml'),
      `${CONFIG}\nsuppress:\n  - { where: { account_ou: 'Root/Prod*' }, reason: test, owner: test }\n`,
    );
    const { stdout, status } = await run(
      '--config',
      'quiet.yaml',
      'hunt',
      COUNTRIES,
      'call-from-listed-address',
      '--output',
      'json',
    );
    expect([status, JSON.parse(stdout)]).toEqual([0, []]);
  });

  test('an override holds for its accounts alone, and a wrong one is named with its place', async () => {
    const hunt = async (accounts: string) => {
      writeFileSync(
        join(cwd, 'other.yaml'),
        `${CONFIG}\noverrides:\n  - ${accounts}\n    parameters: { ${COUNTRIES}: { countries: 3 } }\n`,
      );
      return run('--config', 'other.yaml', 'hunt', COUNTRIES, '--output', 'json');
    };
    expect(JSON.parse((await hunt('accounts: [payments]')).stdout)).toEqual([]);
    expect(JSON.parse((await hunt('ous: [Root]')).stdout)).toEqual([]);
    expect(JSON.parse((await hunt('tags: { env: prod }')).stdout)).toEqual([]);
    expect(JSON.parse((await hunt('ous: [Root/Sandbox]')).stdout)).toMatchObject([
      { detector: COUNTRIES, parameters: { countries: 2 } },
    ]);
    const wrong = await hunt('ous: [Root/Sandbocks]');
    expect([wrong.status, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/other[.]yaml:\d+:\d+: overrides[.]0[.]ous[.]0: no account lies in 'Root\/Sandbocks'/u),
    ]);
  });

  test('network:<name> in a parameter stands for its lines', async () => {
    const asked = await run(
      'hunt',
      'request-outside-networks',
      '--param',
      'request-outside-networks.networks=[network:home]',
    );
    expect([asked.status, asked.stderr]).toEqual([
      2,
      expect.stringContaining("there is no network 'home' for a parameter"),
    ]);
    const explained = await run(
      'hunt',
      'request-outside-networks',
      '--explain',
      '--param',
      'request-outside-networks.networks=[network:office]',
    );
    expect(explained.stdout).toContain("cidr_match('2001:db8:100::/48', source_ip)");
  });
});

describe('without it', () => {
  test('detectors that need it say that they are silent', async () => {
    writeFileSync(join(cwd, 'plain.yaml'), 'sources: [./logs]\n');
    const { stderr, status } = await run('--config', 'plain.yaml', '--store', './plain', 'scan');
    expect(status).toBe(0);
    expect(stderr).toMatch(/^\d detectors: silent, nothing is configured under enrichment/mu);
    writeFileSync(
      join(cwd, 'part.yaml'),
      'sources: [./logs]\nenrichment: { networks: { office: [198.51.100.0/24] } }\n',
    );
    const part = await run('--config', 'part.yaml', '--store', './plain', 'hunt');
    expect(part.stderr).toContain(
      `detector ${COUNTRIES}: silent, no country data is configured (enrichment.mmdb.country)`,
    );
    expect(part.stderr).toMatch(
      /detectors access-key-used-from-new-network, .*: silent, no network data is configured \(enrichment[.]mmdb[.]asn\)/u,
    );
  });

  test('the past is judged when it comes', async () => {
    const { stdout } = await run('--store', './plain', 'scan', '--output', 'json');
    expect(
      (JSON.parse(stdout) as readonly { detector: string; new: boolean }[]).filter(
        ({ detector }) => detector === COUNTRIES,
      ),
    ).toMatchObject([{ new: true }]);
  });

  test.each([
    ['mmdb: { country: nowhere.mmdb }', /cannot read the database of addresses .*nowhere[.]mmdb/u],
    ['networks: { office: [192.0.2.0/33] }', /enrichment[.]networks[.]office[.]0: expected an address or a network/u],
    ['threats: [tor]', /enrichment[.]threats[.]0: there is no list 'tor'/u],
    ['accounts: trailhound.yaml', /cannot read the accounts/u],
  ])('%s is refused', async (line, message) => {
    writeFileSync(join(cwd, 'wrong.yaml'), `enrichment: { ${line} }\n`);
    const { status, stderr } = await run('--config', 'wrong.yaml', 'config', 'check');
    expect([status, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test('the schema of alerts knows their context', () => {
    const schema = JSON.parse(readFileSync('docs/reference/alert.schema.json', 'utf8')) as {
      readonly properties: {
        readonly context: { readonly properties: Record<string, { additionalProperties: { properties: object } }> };
      };
    };
    const { addresses, accounts } = schema.properties.context.properties;
    expect(Object.keys(addresses?.additionalProperties.properties ?? {})).toEqual([
      'country',
      'asn',
      'as_name',
      'network',
      'aws_service',
      'aws_region',
      'threat',
    ]);
    expect(Object.keys(accounts?.additionalProperties.properties ?? {})).toEqual(['name', 'ou', 'tags']);
  });
});
