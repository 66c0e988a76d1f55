/** An address fails challenges or CAPTCHAs again and again. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const challenged = { action: 'CHALLENGE', challengeResponse: { responseCode: 202, failureReason: 'TOKEN_MISSING' } };

export const detector = defineDetector({
  id: 'waf-challenge-failures',
  title: 'An address failed many challenges',
  description:
    'A browser passes a challenge by itself, and a person a CAPTCHA after a try or two. What fails again and again is a program.',
  severity: 'low',
  severityReason: 'What failed did not get through.',
  table: 'waf',
  attack: [{ technique: 'T1595', version: 16 }],
  tags: ['web'],
  when: {
    any: [
      { 'captcha_response.failureReason': { exists: true } },
      { 'challenge_response.failureReason': { exists: true } },
    ],
  },
  threshold: { atLeast: parameter('failures'), within: '10m' },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary: '{source_ip} failed {count} challenges at {host}, first on {uri}',
  parameters: {
    failures: z
      .int()
      .min(2)
      .default(50)
      .describe('failures in ten minutes; a page with many parts may cost a browser a dozen'),
  },
  falsePositives: ['Browsers without JavaScript, and monitoring.'],
  blindSpots: ['Programs that solve the challenge.'],
  response: ['Look at user_agent and ja4_fingerprint, and at what the address was allowed.'],
  examples: [
    {
      name: 'fifty failed challenges',
      records: [{ repeat: 50, every: '5s', record: challenged }],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 50, peak: 50 }],
    },
    {
      name: 'fifty failed CAPTCHAs',
      records: [
        {
          repeat: 50,
          every: '5s',
          record: { action: 'CAPTCHA', captchaResponse: { responseCode: 405, failureReason: 'TOKEN_MISSING' } },
        },
      ],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 50 }],
    },
    { name: 'one fewer', records: [{ repeat: 49, every: '5s', record: challenged }], alerts: [] },
    {
      name: 'challenges that are passed',
      records: [{ repeat: 50, every: '5s', record: { challengeResponse: { responseCode: 0, solveTimestamp: 1 } } }],
      alerts: [],
    },
  ],
});
