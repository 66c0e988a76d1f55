/** A program, not a browser, asked for a console sign-in token. */
import { defineDetector } from '../../src/detector.ts';

const token = {
  eventSource: 'signin.amazonaws.com',
  eventName: 'GetSigninToken',
  userAgent: 'python-requests/2.31.0',
  responseElements: { GetSigninToken: 'Success' },
};

export const detector = defineDetector({
  id: 'console-signin-token-from-script',
  title: 'A program asked for a console sign-in token',
  description:
    'Temporary keys can be exchanged for a link that opens the console. Attack tools do so to work in comfort and to hide behind the browser. The access portal of IAM Identity Center does it too, and is known by its user agent (Jersey).',
  severity: 'medium',
  severityReason: 'A habit of attackers, and of a few home-made portals.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1550.001', version: 16 }],
  tags: ['lateral-movement'],
  when: {
    all: [
      { event_source: 'signin.amazonaws.com', event_name: 'GetSigninToken', outcome: 'success' },
      { not: { user_agent: { startswith: ['Mozilla/', 'Jersey/'] } } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} asked for a console sign-in token with {user_agent} from {source_ip}',
  falsePositives: ['A home-made sign-in portal or a helper such as aws-vault or Granted: suppress by user agent.'],
  blindSpots: ['A tool that calls itself Mozilla.'],
  response: [
    'See who holds the session: session_name, access_key_id, and the AssumeRole that made it.',
    'Run the saved question assumed-role-chains.',
  ],
  examples: [
    {
      name: 'a script asks for a token',
      records: [token],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a browser and the access portal ask',
      records: [
        { ...token, userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' },
        { ...token, userAgent: 'Jersey/${project.version} (HttpUrlConnection 11.0.19)' },
      ],
      alerts: [],
    },
    {
      name: 'it fails, another call, or another service',
      records: [
        { ...token, errorMessage: 'Invalid token', responseElements: { GetSigninToken: 'Failure' } },
        { ...token, eventName: 'ConsoleLogin', responseElements: { ConsoleLogin: 'Success' } },
        { ...token, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
