/** Programs that pretend to be browsers, or that nobody can verify, were let pass. */
import { defineDetector } from '../../src/detector.ts';

const bot = {
  labels: [
    { name: 'awswaf:managed:aws:bot-control:bot:category:http_library' },
    { name: 'awswaf:managed:aws:bot-control:signal:non_browser_user_agent' },
  ],
  httpRequest: { uri: '/prices' },
};

export const detector = defineDetector({
  id: 'bot-allowed',
  title: 'Bots were let pass',
  description:
    'Requests to which Bot Control put a label that tells of automation, and that were allowed. Bots that AWS has verified, such as search engines, and static files are left out.',
  severity: 'informational',
  severityReason: 'Most of the internet is bots; it says how much a rule would stop.',
  table: 'waf',
  attack: [{ technique: 'T1595', version: 16 }],
  tags: ['reconnaissance'],
  // Labels: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-bot.html
  when: {
    all: [
      { action: 'ALLOW', labels: { startswith: 'awswaf:managed:aws:bot-control:' } },
      { not: { labels: 'awswaf:managed:aws:bot-control:bot:verified' } },
      { not: { uri: { re: '(?i)[.](css|js|map|png|jpe?g|gif|webp|avif|svg|ico|woff2?|ttf|mp4|txt)$' } } },
    ],
  },
  slot: '1d',
  subject: ['web_acl_id'],
  summary:
    '{web_acl_name} let {count} requests of bots pass, first {http_method} {host}{uri} from {client_ip} with {user_agent}',
  falsePositives: ['Monitoring, partners and applications of your own that call without a browser.'],
  blindSpots: ['Web ACLs without Bot Control.', 'Bots that drive a real browser from many addresses.'],
  response: [
    'Group the requests by user_agent and label with the saved question waf-requests-of-address, then decide which categories may stay.',
  ],
  examples: [
    {
      name: 'a library for HTTP reads the prices',
      records: [bot],
      alerts: [
        {
          subject: {
            web_acl_id:
              'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
          },
          count: 1,
        },
      ],
    },
    { name: 'blocked', records: [{ ...bot, action: 'BLOCK' }], alerts: [] },
    {
      name: 'a search engine',
      records: [
        {
          ...bot,
          labels: [
            { name: 'awswaf:managed:aws:bot-control:bot:category:search_engine' },
            { name: 'awswaf:managed:aws:bot-control:bot:verified' },
          ],
        },
      ],
      alerts: [],
    },
    { name: 'a picture', records: [{ ...bot, httpRequest: { uri: '/img/logo.svg' } }], alerts: [] },
    { name: 'a person', records: [{ httpRequest: bot.httpRequest }], alerts: [] },
    {
      name: 'a label of a rule group of our own that repeats it',
      records: [
        {
          ...bot,
          labels: [
            { name: 'awswaf:111122223333:rulegroup:ours:awswaf:managed:aws:bot-control:bot:category:http_library' },
          ],
        },
      ],
      alerts: [],
    },
  ],
});
