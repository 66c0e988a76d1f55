/** A client program that is blocked nearly always got through from another address. */
import { defineDetector, z } from '../../src/detector.ts';

const TOOL = 't13d1812h1_85036bcba153_b26ce05bbdd6';
const request = (clientIp: string, action = 'BLOCK', ja4Fingerprint = TOOL) => ({
  action,
  terminatingRuleId: action === 'BLOCK' ? 'sqli' : 'Default_Action',
  ja4Fingerprint,
  httpRequest: { clientIp, uri: '/products' },
});
const blocked = (repeat = 50, change: object = {}) =>
  ({ repeat, every: '10s', record: { ...request('203.0.113.9'), ...change } }) as const;
const allowed = request('198.51.100.7', 'ALLOW');
const ALERT = [{ subject: { fingerprint: TOOL } }];

export const detector = defineDetector({
  id: 'fingerprint-allowed-after-blocks',
  title: 'A client that is blocked nearly always was let pass from another address',
  description:
    'The JA4 fingerprint of the TLS hello (JA3 where there is none) tells client programs apart, whatever they call themselves and wherever they come from. Told is a program that was blocked in at least nine of ten requests of an hour and then got through from an address that had not been blocked: whoever was stopped has moved. Browsers share their fingerprint with every visitor and are mostly allowed, so that they stay silent.',
  severity: 'medium',
  severityReason: 'The tool of the attacker is past the web ACL; what it asked for a person must read.',
  table: 'waf',
  attack: [
    { technique: 'T1190', version: 16 },
    { technique: 'T1090', version: 16 },
  ],
  tags: ['initial-access'],
  // https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-fields-list.html
  when: {
    all: [
      { action: ['ALLOW', 'BLOCK'] },
      { any: [{ ja4_fingerprint: { exists: true } }, { ja3_fingerprint: { exists: true } }] },
    ],
  },
  sql: `-- One row per web ACL, fingerprint and hour with a client that is nearly always blocked and got through from another address.
WITH requests AS (
  SELECT date_trunc('hour', w.event_time) AS slot, w.web_acl_id, coalesce(w.ja4_fingerprint, w.ja3_fingerprint) AS fingerprint, w.action,
    w.client_ip, w.event_time, w.request_id, w.web_acl_name, w.account_id, w.region, w.source_ip, w.http_method, w.uri, w.user_agent
  FROM waf AS w
), clients AS (
  SELECT r.slot, r.web_acl_id, r.fingerprint, count_if(r.action = 'BLOCK') AS blocked, min(CASE WHEN r.action = 'BLOCK' THEN r.event_time END) AS first_block
  FROM requests AS r
  GROUP BY 1, 2, 3
  HAVING count_if(r.action = 'BLOCK') >= :blocks AND count_if(r.action = 'BLOCK') * 10 >= count(*) * 9
), addresses AS (
  SELECT r.slot, r.web_acl_id, r.fingerprint, r.client_ip
  FROM requests AS r
  WHERE r.action = 'BLOCK'
  GROUP BY 1, 2, 3, 4
)
SELECT r.slot, r.web_acl_id, r.fingerprint, min(r.web_acl_name) AS web_acl_name, min(r.account_id) AS account_id, min(r.region) AS aws_region,
  min(r.source_ip) AS source_ip, min(r.http_method) AS http_method, min(r.uri) AS uri, min(r.user_agent) AS user_agent, min(c.blocked) AS blocked,
  min(r.event_time) AS first_seen, max(r.event_time) AS last_seen, count(*) AS count,
  array_agg(r.request_id ORDER BY r.event_time, r.request_id) AS event_ids
FROM requests AS r
JOIN clients AS c ON c.slot = r.slot AND c.web_acl_id = r.web_acl_id AND c.fingerprint = r.fingerprint
LEFT JOIN addresses AS a ON a.slot = r.slot AND a.web_acl_id = r.web_acl_id AND a.fingerprint = r.fingerprint AND a.client_ip = r.client_ip
WHERE r.action = 'ALLOW' AND r.event_time > c.first_block AND a.client_ip IS NULL
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  slot: '1h',
  subject: ['web_acl_id', 'fingerprint'],
  summary:
    'A client that {web_acl_name} blocked {blocked} times in the hour was let pass {count} times from {source_ip}, {http_method} {uri}, as {user_agent}',
  parameters: {
    blocks: z.int().min(1).default(50).describe('blocked requests of the fingerprint in an hour of the clock'),
  },
  falsePositives: ['A library that an attacker and a partner of yours both use.'],
  blindSpots: [
    'Tools that imitate the TLS hello of a browser.',
    'Resources other than CloudFront and load balancers, of which AWS WAF tells no fingerprint.',
  ],
  response: [
    'Run the saved question waf-requests-of-address for source_ip and read the allowed requests.',
    'A rule on the fingerprint stops the tool from every address.',
  ],
  examples: [
    { name: 'fifty blocks, then through from elsewhere', records: [blocked(), allowed], alerts: ALERT },
    {
      name: 'a resource with JA3 only',
      records: [
        blocked(50, { ja4Fingerprint: null, ja3Fingerprint: 'f79b6bad2ad0641e1921aef10262856b' }),
        { ...allowed, ja4Fingerprint: null, ja3Fingerprint: 'f79b6bad2ad0641e1921aef10262856b' },
      ],
      alerts: [{ subject: { fingerprint: 'f79b6bad2ad0641e1921aef10262856b' } }],
    },
    { name: 'one block fewer', records: [blocked(49), allowed], alerts: [] },
    { name: 'the operator asks for fewer', records: [blocked(20), allowed], alerts: ALERT, parameters: { blocks: 20 } },
    {
      name: 'from the same address: allowed-after-blocks',
      records: [blocked(), request('203.0.113.9', 'ALLOW')],
      alerts: [],
    },
    { name: 'let pass before, not after', records: [allowed, blocked()], alerts: [] },
    {
      name: 'a browser that many visitors use',
      records: [{ repeat: 20, every: '1s', record: allowed }, blocked(), allowed],
      alerts: [],
    },
    {
      name: 'another program',
      records: [blocked(), request('198.51.100.7', 'ALLOW', 't13d1516h2_8daaf6152771_02713d6af862')],
      alerts: [],
    },
    {
      name: 'an hour later',
      records: [blocked(), { ...allowed, timestamp: Date.UTC(2025, 1, 3, 11, 30) }],
      alerts: [],
    },
    {
      name: 'asked for a sign of life first',
      records: [blocked(), { repeat: 30, every: '1s', record: request('198.51.100.8', 'CHALLENGE') }, allowed],
      alerts: ALERT,
    },
    {
      name: 'no fingerprints',
      records: [blocked(50, { ja4Fingerprint: null }), { ...allowed, ja4Fingerprint: null }],
      alerts: [],
    },
  ],
});
