/** One address fails to give a sign of life again and again. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const failed = {
  action: 'CAPTCHA',
  terminatingRuleId: 'ask',
  captchaResponse: { responseCode: 405, solveTimestamp: 0, failureReason: 'TOKEN_MISSING' },
};
const many = (record: object = failed, repeat = 50) => ({ repeat, every: '5s', record: { ...record } }) as const;

export const detector = defineDetector({
  id: 'captcha-failures',
  title: 'CAPTCHAs or challenges were failed again and again',
  description:
    'Requests of one address without a valid token where a rule asked for a CAPTCHA or a challenge. A browser fails once, solves it and comes back; a program does not.',
  severity: 'low',
  severityReason: 'The program was held up.',
  table: 'waf',
  attack: [{ technique: 'T1595', version: 16 }],
  tags: ['reconnaissance'],
  // failureReason: https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html
  when: {
    any: [
      { 'captcha_response.failureReason': { exists: true } },
      { 'challenge_response.failureReason': { exists: true } },
    ],
  },
  threshold: { atLeast: parameter('failures'), within: '10m' },
  slot: '1d',
  subject: ['web_acl_id', 'source_ip'],
  summary:
    '{source_ip} ({country}) failed {count} times to answer {terminating_rule_id}, first at {http_method} {host}{uri}, with {user_agent}',
  parameters: {
    failures: z
      .int()
      .min(1)
      .default(50)
      .describe('requests in ten minutes; a page with many parts makes some tens before the token is there'),
  },
  falsePositives: [
    'An application on telephones that cannot show a challenge.',
    'Calls of scripts that are protected by mistake.',
  ],
  blindSpots: ['Programs that solve challenges, or pay people to do so.'],
  response: ['Run the saved question waf-requests-of-address for source_ip: was anything let pass.'],
  examples: [
    {
      name: 'fifty CAPTCHAs in four minutes',
      records: [many()],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 50,
        },
      ],
    },
    {
      name: 'as many challenges',
      records: [
        many({
          action: 'CHALLENGE',
          challengeResponse: { responseCode: 202, solveTimestamp: 0, failureReason: 'TOKEN_EXPIRED' },
        }),
      ],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 50 }],
    },
    { name: 'one failure fewer', records: [many(failed, 49)], alerts: [] },
    { name: 'as many over a day', records: [{ ...many(), every: '20m' }], alerts: [] },
    {
      name: 'solved',
      records: [many({ captchaResponse: { responseCode: 0, solveTimestamp: 1_741_000_000 } })],
      alerts: [],
    },
    { name: 'never asked', records: [many({})], alerts: [] },
    {
      name: 'the same over nearly all of the time',
      records: [{ ...many(), every: '11s' }],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
            source_ip: '192.0.2.44',
          },
          count: 50,
        },
      ],
    },
  ],
});
