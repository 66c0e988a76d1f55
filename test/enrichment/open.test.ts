/** What is known of an address out of files: databases in MaxMind's format, AWS's ranges, networks, lists and accounts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type EnrichmentFiles, openEnrichment } from '../../src/enrichment/open.ts';
import type { Enrichment } from '../../src/enrichment.ts';
import { mmdb } from '../support/mmdb.ts';

const dir = mkdtempSync(join(tmpdir(), 'trailhound-enrichment-'));
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
}

const NOTHING = {
  country: null,
  asn: null,
  as_name: null,
  network: null,
  aws_service: null,
  aws_region: null,
  threat: null,
};
const open = (files: Partial<EnrichmentFiles>): Enrichment => openEnrichment({ networks: {}, threats: {}, ...files });

const country = file(
  'country.mmdb',
  mmdb('GeoLite2-Country', {
    '198.51.100.0/24': { country: { iso_code: 'DE' } },
    '198.51.100.128/25': { country: { iso_code: 'FR' } },
    '203.0.113.0/24': { registered_country: { iso_code: 'NZ' } },
    '2001:db8:1::/48': { country: { iso_code: 'SE' } },
  }),
);
const asn = file(
  'asn.mmdb',
  mmdb('GeoLite2-ASN', {
    '198.51.100.0/24': { autonomous_system_number: 64_496, autonomous_system_organization: 'Example Net' },
    '2001:db8::/32': { autonomous_system_number: 4_200_000_001, autonomous_system_organization: 'Documentation' },
  }),
);

test.each([
  ['198.51.100.7', { country: 'DE', asn: 64_496, as_name: 'Example Net' }],
  ['198.51.100.200', { country: 'FR', asn: 64_496, as_name: 'Example Net' }],
  ['203.0.113.9', { country: 'NZ' }],
  ['2001:db8:1::5', { country: 'SE', asn: 4_200_000_001, as_name: 'Documentation' }],
  ['2001:DB8:2::5', { asn: 4_200_000_001, as_name: 'Documentation' }],
  ['::ffff:198.51.100.7', { country: 'DE', asn: 64_496, as_name: 'Example Net' }],
])('%s is found in both databases, whichever way it is written', (address, known) => {
  expect(open({ country, asn }).address(address)).toEqual({ ...NOTHING, ...known });
});

test.each(['192.0.2.1', '2001:db9::1', 'AWS Internal', 'fe80::1%eth0', ''])('nothing is known of %j', (address) => {
  expect(open({ country, asn }).address(address)).toBeNull();
});

test('the databases of IPinfo are read as well, and one file may hold both', () => {
  const both = file(
    'ipinfo.mmdb',
    mmdb('ipinfo generic_lite.mmdb', { '192.0.2.0/24': { country_code: 'jp', asn: 'AS64511', as_name: 'Example KK' } }),
  );
  expect(open({ country: both, asn: both }).address('192.0.2.1')).toEqual({
    ...NOTHING,
    country: 'JP',
    asn: 64_511,
    as_name: 'Example KK',
  });
});

const ranges = file(
  'ip-ranges.json',
  JSON.stringify({
    syncToken: '1735689600',
    createDate: '2025-01-01-00-00-00',
    prefixes: [
      { ip_prefix: '203.0.113.0/24', region: 'eu-west-1', service: 'AMAZON', network_border_group: 'eu-west-1' },
      { ip_prefix: '203.0.113.0/26', region: 'eu-west-1', service: 'EC2', network_border_group: 'eu-west-1' },
      { ip_prefix: '203.0.113.8/30', region: 'GLOBAL', service: 'CLOUDFRONT', network_border_group: 'GLOBAL' },
    ],
    ipv6_prefixes: [
      { ipv6_prefix: '2001:db8:aa::/48', region: 'us-east-1', service: 'S3', network_border_group: 'us-east-1' },
    ],
  }),
);

test.each([
  ['203.0.113.200', 'AMAZON', 'eu-west-1'],
  ['203.0.113.1', 'EC2', 'eu-west-1'],
  ['203.0.113.9', 'CLOUDFRONT', 'GLOBAL'],
  ['2001:DB8:AA::1', 'S3', 'us-east-1'],
])("%s is AWS's: the narrowest range that names a service counts", (address, aws_service, aws_region) => {
  expect(open({ awsRanges: ranges }).address(address)).toEqual({ ...NOTHING, aws_service, aws_region });
});

test('the narrowest network of the config has the address, and every list of threats that holds it is named', () => {
  const enrichment = open({
    networks: { company: ['198.51.0.0/16', '2001:db8::/32'], office: ['198.51.100.0/24'], door: ['198.51.100.7'] },
    threats: { tor: ['198.51.100.0/25', 'AKIAIOSFODNN7EXAMPLE'], botnet: ['198.51.100.7'] },
  });
  expect([...enrichment.sources]).toEqual(['networks', 'threats']);
  expect(['198.51.100.7', '198.51.100.8', '198.51.1.1', '2001:db8::1'].map((one) => enrichment.address(one))).toEqual([
    { ...NOTHING, network: 'door', threat: 'botnet, tor' },
    { ...NOTHING, network: 'office', threat: 'tor' },
    { ...NOTHING, network: 'company' },
    { ...NOTHING, network: 'company' },
  ]);
});

test('accounts are read by id, also where YAML took an id for a number', () => {
  const accounts = file(
    'accounts.yaml',
    "accounts:\n  - {id: '111122223333', name: payments, ou: Root/Prod, tags: {env: prod, tier: 1}}\n  - {id: 12345678901}\n",
  );
  expect([...open({ accounts }).accounts]).toEqual([
    ['111122223333', { name: 'payments', ou: 'Root/Prod', tags: { env: 'prod', tier: '1' } }],
    ['012345678901', { name: null, ou: null, tags: {} }],
  ]);
});

test('what was judged is judged again when networks, threats or accounts change, not when a database does', () => {
  const before = open({ country, networks: { office: ['198.51.100.0/24'] }, threats: { tor: ['192.0.2.1'] } });
  const after = open({ country: asn, networks: { office: ['198.51.100.0/24'] }, threats: { tor: ['192.0.2.2'] } });
  expect(
    (['country', 'networks', 'threats'] as const).map((one) => before.fingerprint(one) === after.fingerprint(one)),
  ).toEqual([true, true, false]);
});

test.each([
  ['country', 'not a database', /cannot read the database of addresses .*wrong: /u],
  ['awsRanges', '{"prefixes": 3}', /cannot read the address ranges of AWS .*wrong: createDate/u],
  [
    'awsRanges',
    '{"createDate":"x","prefixes":[{"ip_prefix":"1.2.3","region":"r","service":"s"}],"ipv6_prefixes":[]}',
    /'1.2.3' is not a network/u,
  ],
  ['accounts', 'accounts: [{id: 12}, {id: "x"}]', /cannot read the accounts .*wrong: accounts.1.id/u],
  ['accounts', 'accounts: [{id: "111122223333"}, {id: "111122223333"}]', /111122223333 stands there twice/u],
] as const)('a file that cannot be used as %s is named, with the reason', (key, content, message) => {
  expect(() => open({ [key]: file('wrong', content) })).toThrow(message);
});
