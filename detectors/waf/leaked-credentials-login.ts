/** Sign-ins with credentials that are known to have leaked were let pass. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const login = {
  labels: [{ name: 'awswaf:managed:aws:atp:signal:credential_compromised' }],
  httpRequest: { uri: '/api/login', httpMethod: 'POST' },
};
const many = (change: object = {}, repeat = 5) => ({ repeat, every: '1m', record: { ...login, ...change } }) as const;

export const detector = defineDetector({
  id: 'leaked-credentials-login',
  title: 'One address signed in with several leaked credentials',
  description:
    'Account takeover prevention compares names and passwords with those that were stolen elsewhere and labels what it finds; of itself it neither blocks nor counts these. One of them is a careless customer, several from one address are somebody with a list.',
  severity: 'high',
  severityReason: 'The credentials are on a list and somebody tries them one after the other.',
  table: 'waf',
  attack: [{ technique: 'T1110.004', version: 16 }],
  tags: ['credential-access'],
  // Label: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-atp.html
  when: { action: 'ALLOW', labels: 'awswaf:managed:aws:atp:signal:credential_compromised' },
  threshold: { atLeast: parameter('attempts'), within: '1h' },
  slot: '1d',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} ({country}) sent {count} sign-ins with leaked credentials to {host}{uri} that were let pass, with {user_agent}',
  parameters: {
    attempts: z
      .int()
      .min(1)
      .default(5)
      .describe('sign-ins in an hour; a careless customer mistypes two or three times'),
  },
  falsePositives: ['A call centre or a school behind one address.'],
  blindSpots: ['Web ACLs without account takeover prevention.', 'Attempts from many addresses.'],
  response: [
    'Block the label with a rule of your own, or send such customers to set a new password.',
    'Run the saved question waf-requests-of-address for source_ip: requests after the sign-ins tell of success.',
  ],
  examples: [
    {
      name: 'five in five minutes',
      records: [many()],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 5, peak: 5 }],
    },
    { name: 'one attempt fewer', records: [many({}, 4)], alerts: [] },
    { name: 'as many over a week', records: [{ ...many(), every: '1d' }], alerts: [] },
    { name: 'blocked', records: [many({ action: 'BLOCK' })], alerts: [] },
    { name: 'ordinary sign-ins', records: [many({ labels: [{ name: 'awswaf:managed:token:accepted' }] })], alerts: [] },
    {
      name: 'the same over nearly all of the time',
      records: [{ ...many(), every: '855s' }],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 5,
        },
      ],
    },
  ],
});
