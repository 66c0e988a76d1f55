/** One address sends very many sign-ins. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const signIn = { httpRequest: { httpMethod: 'POST', uri: '/account/login' } };

export const detector = defineDetector({
  id: 'waf-login-flood',
  title: 'One address sent many sign-in requests',
  description:
    'Stolen pairs of names and passwords are tried by the thousand. Counts POST requests of one address to a page that signs people in.',
  severity: 'medium',
  severityReason: 'Some of the pairs usually work.',
  table: 'waf',
  attack: [{ technique: 'T1110.004', version: 16 }],
  tags: ['web', 'credential-access'],
  when: {
    http_method: 'POST',
    uri: { re: '(?i)/(log-?in|sign-?in|auth|authenticate|sessions?|token|wp-login[.]php)/?$' },
  },
  threshold: { atLeast: parameter('requests'), within: '10m' },
  slot: '1h',
  subject: ['web_acl_id', 'source_ip'],
  summary: '{source_ip} sent {count} sign-in requests to {host}{uri} ({peak} in ten minutes)',
  parameters: {
    requests: z
      .int()
      .min(2)
      .default(100)
      .describe('requests in ten minutes; an office behind one address does not sign in a hundred times'),
  },
  falsePositives: ['A load test, and a mobile carrier whose customers share an address on a large site.'],
  blindSpots: [
    'Attempts spread over many addresses.',
    'Sign-in pages with other names: say which in a copy of this detector.',
  ],
  response: ['Ask the application which of these sign-ins succeeded.', 'A rate-based rule on the page stops it.'],
  examples: [
    {
      name: 'a hundred in five minutes',
      records: [{ repeat: 100, every: '3s', record: signIn }],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 100, peak: 100 }],
    },
    { name: 'one fewer', records: [{ repeat: 99, every: '3s', record: signIn }], alerts: [] },
    {
      name: 'the page is only looked at',
      records: [{ repeat: 100, every: '3s', record: { httpRequest: { ...signIn.httpRequest, httpMethod: 'GET' } } }],
      alerts: [],
    },
    {
      name: 'another form',
      records: [{ repeat: 100, every: '3s', record: { httpRequest: { ...signIn.httpRequest, uri: '/cart' } } }],
      alerts: [],
    },
  ],
});
