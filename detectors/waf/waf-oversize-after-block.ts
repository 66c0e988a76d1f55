/** Blocked on a page, an address gets a body through that is too long to be inspected. */
import { defineDetector } from '../../src/detector.ts';

const post = { httpRequest: { httpMethod: 'POST', uri: '/api/items' } };
const padded = {
  ...post,
  oversizeFields: ['REQUEST_BODY'],
  requestBodySize: 200_000,
  requestBodySizeInspectedByWAF: 16_384,
};

export const detector = defineDetector({
  id: 'waf-oversize-after-block',
  title: 'A body too long to inspect was allowed after a block',
  description:
    'A web ACL inspects only the beginning of a body. An address that was blocked on a page and then sends a body beyond the limit to it may hide the same attack behind padding.',
  severity: 'high',
  severityReason: 'The part of the body that matters was not looked at.',
  table: 'waf',
  attack: [{ technique: 'T1190', version: 16 }],
  tags: ['web', 'defense-evasion'],
  sequence: {
    steps: [{ action: 'BLOCK' }, { action: 'ALLOW', oversize_field_list: { contains: 'BODY' } }],
    by: ['web_acl_id', 'source_ip', 'uri'],
    within: '1h',
  },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary: '{source_ip} was blocked on {uri} of {host}, then a body over the inspection limit passed',
  falsePositives: ['A form with a large upload whose first try was refused.'],
  blindSpots: ['Padding from the first request on, without a block before.'],
  response: ['Let requests over the limit be blocked where the page takes no uploads (oversize handling MATCH).'],
  examples: [
    {
      name: 'blocked, then padded',
      records: [{ ...post, action: 'BLOCK' }, padded],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 2 }],
    },
    {
      name: 'the padded one is blocked as well',
      records: [
        { ...post, action: 'BLOCK' },
        { ...padded, action: 'BLOCK' },
      ],
      alerts: [],
    },
    { name: 'an upload without a block before', records: [post, padded], alerts: [] },
    { name: 'then an ordinary request', records: [{ ...post, action: 'BLOCK' }, post], alerts: [] },
    {
      name: 'headers are too long, the body is not',
      records: [
        { ...post, action: 'BLOCK' },
        { ...padded, oversizeFields: ['REQUEST_HEADERS'] },
      ],
      alerts: [],
    },
  ],
});
