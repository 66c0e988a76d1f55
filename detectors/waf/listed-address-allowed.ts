/** Requests from addresses with a bad name were let pass. */
import { defineDetector } from '../../src/detector.ts';

const listed = {
  labels: [{ name: 'awswaf:managed:aws:amazon-ip-list:AWSManagedIPReputationList' }],
  httpRequest: { uri: '/cart' },
};

export const detector = defineDetector({
  id: 'listed-address-allowed',
  title: 'Addresses of a reputation list were let pass',
  description:
    'Requests that the managed lists of AWS labelled as coming from an address with a bad reputation, an anonymising service or a hosting provider, and that were allowed. Static files are left out.',
  severity: 'informational',
  severityReason: 'Says how much a list would stop if it blocked; people use VPNs for good reasons.',
  table: 'waf',
  attack: [
    { technique: 'T1090', version: 16 },
    { technique: 'T1595', version: 16 },
  ],
  tags: ['reconnaissance'],
  // Labels: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-ip-rep.html
  when: {
    all: [
      {
        action: 'ALLOW',
        labels: { startswith: ['awswaf:managed:aws:amazon-ip-list:', 'awswaf:managed:aws:anonymous-ip-list:'] },
      },
      { not: { uri: { re: '(?i)[.](css|js|map|png|jpe?g|gif|webp|avif|svg|ico|woff2?|ttf|mp4|txt)$' } } },
    ],
  },
  slot: '1d',
  subject: ['web_acl_id'],
  summary:
    '{web_acl_name} let {count} requests of listed addresses pass, first {http_method} {host}{uri} from {client_ip} ({country})',
  falsePositives: ['Customers behind a VPN, partners that call from a hosting provider.'],
  blindSpots: ['Web ACLs without these rule groups.', 'Addresses that are not on a list yet.'],
  response: [
    'Run the saved question waf-requests-of-address for the busiest addresses, then decide whether the list may block.',
  ],
  examples: [
    {
      name: 'a listed address and a VPN in a day',
      records: [listed, { ...listed, labels: [{ name: 'awswaf:managed:aws:anonymous-ip-list:AnonymousIPList' }] }],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
          },
          count: 2,
        },
      ],
    },
    { name: 'blocked', records: [{ ...listed, action: 'BLOCK' }], alerts: [] },
    { name: 'a picture', records: [{ ...listed, httpRequest: { uri: '/img/logo.svg' } }], alerts: [] },
    { name: 'an address without a name', records: [{ httpRequest: listed.httpRequest }], alerts: [] },
    {
      name: 'a label of a rule group of our own that repeats it',
      records: [
        {
          ...listed,
          labels: [
            { name: 'awswaf:111122223333:rulegroup:ours:awswaf:managed:aws:amazon-ip-list:AWSManagedIPReputationList' },
          ],
        },
      ],
      alerts: [],
    },
  ],
});
