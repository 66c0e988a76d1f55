/** A path that never got a body too large to be inspected got one, and it was let pass. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const at = (day: number) => ({ timestamp: Date.UTC(2025, 2, day, 9) });
const oversized = (uri: string, change: object = {}) => ({
  oversizeFields: ['REQUEST_BODY'],
  httpRequest: { uri, httpMethod: 'POST' },
  ...change,
});
const usual = { repeat: 10, every: '1d', record: oversized('/api/files', at(1)) } as const;
const padded = oversized('/api/comments', at(11));

export const detector = defineDetector({
  id: 'oversized-body-at-new-path',
  title: 'A path got a body too large to be inspected for the first time',
  description:
    'Where large bodies are let pass, the part beyond the limit of inspection arrives unseen. Paths for uploads get them every day; told is a path that had none during the last 30 days.',
  severity: 'low',
  severityReason: 'Mostly a new form; it names the places at which the web ACL is blind.',
  table: 'waf',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion', 'baseline'],
  // https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html
  when: {
    all: [
      { action: 'ALLOW', oversize_fields: ['REQUEST_BODY', 'REQUEST_JSON_BODY'] },
      { not: { uri: { re: parameter('upload_paths') } } },
    ],
  },
  baseline: { firstSeen: ['uri'], over: '30d' },
  slot: '1d',
  subject: ['web_acl_id', 'uri'],
  summary:
    '{host}{uri} got a body too large to be inspected for the first time in 30 days, from {client_ip} ({country}), with {user_agent}',
  parameters: {
    upload_paths: z
      .string()
      .default('(?i)/(uploads?|files?|attachments?|media)(/|$)')
      .describe('RE2 pattern of paths that are meant for large bodies'),
  },
  falsePositives: [
    'A new form for uploads.',
    'Paths with a number in them, each of which is another one: name them in upload_paths.',
  ],
  blindSpots: ['Silent until the web ACL has three days of log.', 'Padding at a path for uploads.'],
  response: ['Match oversized bodies at this path in a rule, unless it is meant for uploads.'],
  examples: [
    {
      name: 'comments of 70 KB',
      records: [{ ...usual, record: oversized('/api/import', at(1)) }, padded],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            uri: '/api/comments',
          },
          count: 1,
        },
      ],
    },
    {
      name: 'a path that gets them every day',
      records: [{ ...usual, record: oversized('/api/comments', at(1)) }, padded],
      alerts: [],
    },
    {
      name: 'a path for uploads',
      records: [{ ...usual, record: oversized('/api/import', at(1)) }, oversized('/files/new', at(11))],
      alerts: [],
    },
    { name: 'there is no history yet', records: [padded], alerts: [] },
    {
      name: 'blocked, or of ordinary size',
      records: [usual, { ...padded, action: 'BLOCK' }, { ...padded, oversizeFields: [] }],
      alerts: [],
    },
  ],
});
