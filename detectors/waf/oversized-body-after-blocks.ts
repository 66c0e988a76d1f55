/** Somebody was blocked, then sent a body that is too large to be inspected, and was let pass. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const post = (change: object = {}, http: object = {}) => ({
  ...change,
  httpRequest: { uri: '/api/comments', httpMethod: 'POST', clientIp: '203.0.113.9', ...http },
});
const blocked = { repeat: 3, every: '20s', record: post({ action: 'BLOCK', terminatingRuleId: 'sqli' }) } as const;
const padded = post({ oversizeFields: ['REQUEST_BODY'], requestBodySize: 70_000, requestBodySizeInspectedByWAF: 8192 });
const ALERT = [{ subject: { client_ip: '203.0.113.9', uri: '/api/comments' } }];

export const detector = defineDetector({
  id: 'oversized-body-after-blocks',
  title: 'An attack may have been hidden behind a large body',
  description:
    'AWS WAF inspects the first part of a body (8 KB at load balancers, at most 64 KB elsewhere). Whoever is blocked puts padding before the attack: the inspected part is clean, and where rules let oversized bodies through the rest arrives unseen.',
  severity: 'high',
  severityReason: 'This is the known way round a web ACL, right after it had worked.',
  table: 'waf',
  attack: [
    { technique: 'T1190', version: 16 },
    { technique: 'T1562.001', version: 16 },
  ],
  tags: ['initial-access', 'defense-evasion'],
  // https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html
  sequence: {
    steps: [
      {
        when: { all: [{ action: 'BLOCK' }, { not: { terminating_rule_type: 'RATE_BASED' } }] },
        atLeast: parameter('blocks'),
      },
      { action: 'ALLOW', oversize_fields: ['REQUEST_BODY', 'REQUEST_JSON_BODY'] },
    ],
    by: ['web_acl_id', 'client_ip', 'uri'],
    within: '1h',
  },
  slot: '1h',
  subject: ['web_acl_id', 'client_ip', 'uri'],
  summary:
    '{client_ip} ({country}) was blocked at {uri} by {terminating_rule_id} and then let pass there with an oversized body, {count} requests in all',
  parameters: {
    blocks: z.int().min(1).default(2).describe('blocked requests at the path before the oversized one'),
  },
  falsePositives: ['Somebody whose upload is blocked for its content and who tries a larger file.'],
  blindSpots: [
    'Padding from the first request on: oversized-body-at-new-path.',
    'Headers and cookies that are too large.',
    'Another path or address.',
  ],
  response: [
    'Set the rules to match oversized bodies, except at paths for uploads.',
    'Find the request in the log of the load balancer by request_id: status and size tell whether it worked.',
  ],
  examples: [
    { name: 'three blocks, then a padded body', records: [blocked, padded], alerts: ALERT },
    { name: 'a body of JSON', records: [blocked, { ...padded, oversizeFields: ['REQUEST_JSON_BODY'] }], alerts: ALERT },
    {
      name: 'the operator asks for one block',
      records: [{ ...blocked, repeat: 1 }, padded],
      alerts: ALERT,
      parameters: { blocks: 1 },
    },
    { name: 'one block only', records: [{ ...blocked, repeat: 1 }, padded], alerts: [] },
    { name: 'an upload by somebody who was never blocked', records: [padded, padded, padded], alerts: [] },
    { name: 'the padded body is blocked as well', records: [blocked, { ...padded, action: 'BLOCK' }], alerts: [] },
    {
      name: 'a body of ordinary size, or large headers',
      records: [blocked, post(), post({ oversizeFields: ['REQUEST_HEADERS'] })],
      alerts: [],
    },
    {
      name: 'somebody else, or another path',
      records: [
        blocked,
        { ...padded, httpRequest: { ...padded.httpRequest, clientIp: '203.0.113.10' } },
        { ...padded, httpRequest: { ...padded.httpRequest, uri: '/api/files' } },
      ],
      alerts: [],
    },
    {
      name: 'too fast, then an upload',
      records: [{ ...blocked, record: post({ action: 'BLOCK', terminatingRuleType: 'RATE_BASED' }) }, padded],
      alerts: [],
    },
    {
      name: 'the same over nearly all of the time',
      records: [{ ...blocked, every: '1710s' }, padded],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            client_ip: '203.0.113.9',
            uri: '/api/comments',
          },
          count: 4,
        },
      ],
    },
  ],
});
