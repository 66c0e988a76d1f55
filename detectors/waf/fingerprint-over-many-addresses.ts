/** One client program is blocked from many addresses at once. */
import { defineDetector, z } from '../../src/detector.ts';

const TOOL = 't13d1812h1_85036bcba153_b26ce05bbdd6';
const request = (index: number, action = 'BLOCK') => ({
  action,
  terminatingRuleId: action === 'BLOCK' ? 'sqli' : 'Default_Action',
  ja4Fingerprint: TOOL,
  httpRequest: { clientIp: `198.51.100.${index % 250}`, uri: '/products' },
});
const many = (repeat: number, record: (index: number) => object = (index) => request(index)) =>
  ({ repeat, every: '10s', record: (index: number) => ({ ...record(index) }) }) as const;
const ALERT = [{ subject: { fingerprint: TOOL }, count: 50 }];

export const detector = defineDetector({
  id: 'fingerprint-over-many-addresses',
  title: 'One client was blocked from many addresses',
  description:
    'One fingerprint of the TLS hello, blocked from many addresses within an hour and hardly ever allowed: a tool behind rented proxies or a botnet. Browsers share their fingerprint with every visitor and are mostly allowed, so that they stay silent.',
  severity: 'medium',
  severityReason: 'Somebody pays for addresses to get at this site; so far it was blocked.',
  table: 'waf',
  attack: [
    { technique: 'T1090', version: 16 },
    { technique: 'T1595', version: 16 },
  ],
  tags: ['reconnaissance'],
  // https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-fields-list.html
  when: { any: [{ ja4_fingerprint: { exists: true } }, { ja3_fingerprint: { exists: true } }] },
  sql: `-- One row per web ACL, fingerprint and hour with a client that was blocked from many addresses.
WITH requests AS (
  SELECT date_trunc('hour', w.event_time) AS slot, w.web_acl_id, coalesce(w.ja4_fingerprint, w.ja3_fingerprint) AS fingerprint, w.action,
    w.client_ip, w.event_time, w.request_id, w.web_acl_name, w.account_id, w.region, w.source_ip, w.uri, w.user_agent
  FROM waf AS w
), clients AS (
  SELECT r.slot, r.web_acl_id, r.fingerprint, count(DISTINCT CASE WHEN r.action = 'BLOCK' THEN r.client_ip END) AS addresses
  FROM requests AS r
  GROUP BY 1, 2, 3
  HAVING count(DISTINCT CASE WHEN r.action = 'BLOCK' THEN r.client_ip END) >= :addresses AND count_if(r.action = 'BLOCK') * 10 >= count(*) * 9
)
SELECT r.slot, r.web_acl_id, r.fingerprint, min(r.web_acl_name) AS web_acl_name, min(r.account_id) AS account_id, min(r.region) AS aws_region,
  min(r.source_ip) AS source_ip, min(r.uri) AS uri, min(r.user_agent) AS user_agent, min(c.addresses) AS addresses,
  min(r.event_time) AS first_seen, max(r.event_time) AS last_seen, count(*) AS count,
  array_agg(r.request_id ORDER BY r.event_time, r.request_id) AS event_ids
FROM requests AS r
JOIN clients AS c ON c.slot = r.slot AND c.web_acl_id = r.web_acl_id AND c.fingerprint = r.fingerprint
WHERE r.action = 'BLOCK'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  slot: '1h',
  subject: ['web_acl_id', 'fingerprint'],
  summary:
    '{web_acl_name} blocked one client {count} times from {addresses} addresses in an hour, {source_ip} among them, as {user_agent}',
  parameters: {
    addresses: z
      .int()
      .min(2)
      .default(50)
      .describe('distinct addresses in an hour of the clock; scanners that pass by share a tool now and then'),
  },
  falsePositives: ['An application of yours on many telephones that a new rule misunderstands.'],
  blindSpots: [
    'Tools that imitate the TLS hello of a browser.',
    'Resources other than CloudFront and load balancers, of which AWS WAF tells no fingerprint.',
  ],
  response: [
    'A rule on the fingerprint stops the tool from every address.',
    'Run the saved question waf-blocked-then-allowed: did any of the addresses get through.',
  ],
  examples: [
    { name: 'fifty addresses in eight minutes', records: [many(50)], alerts: ALERT },
    {
      name: 'a resource with JA3 only',
      records: [
        many(50, (index) => ({
          ...request(index),
          ja4Fingerprint: null,
          ja3Fingerprint: 'f79b6bad2ad0641e1921aef10262856b',
        })),
      ],
      alerts: [{ subject: { fingerprint: 'f79b6bad2ad0641e1921aef10262856b' }, count: 50 }],
    },
    { name: 'one address fewer', records: [many(49)], alerts: [] },
    {
      name: 'the operator asks for fewer',
      records: [many(20)],
      alerts: [{ subject: { fingerprint: TOOL }, count: 20 }],
      parameters: { addresses: 20 },
    },
    { name: 'one address again and again', records: [many(200, () => request(1))], alerts: [] },
    {
      name: 'a browser, of which a rule by country blocks half',
      records: [many(120, (index) => request(index, index % 2 === 0 ? 'BLOCK' : 'ALLOW'))],
      alerts: [],
    },
    {
      name: 'no fingerprints',
      records: [many(60, (index) => ({ ...request(index), ja4Fingerprint: null }))],
      alerts: [],
    },
  ],
});
