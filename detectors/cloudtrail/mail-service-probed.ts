/** Somebody looks whether the account can send mail or text messages. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const SES = [
  'GetSendQuota',
  'GetAccount',
  'GetAccountSendingEnabled',
  'ListIdentities',
  'ListEmailIdentities',
  'GetSendStatistics',
  'ListVerifiedEmailAddresses',
  'GetIdentityVerificationAttributes',
].map((eventName) => ({ eventSource: 'ses.amazonaws.com', eventName, readOnly: true }));
const SNS = [
  'GetSMSAttributes',
  'GetSMSSandboxAccountStatus',
  'ListOriginationNumbers',
  'ListSMSSandboxPhoneNumbers',
].map((eventName) => ({ eventSource: 'sns.amazonaws.com', eventName, readOnly: true }));

export const detector = defineDetector({
  id: 'mail-service-probed',
  title: 'Limits and identities of SES and SNS were probed',
  description:
    'Before stolen keys are sold or used for spam and smishing, somebody asks how much the account may send, from which addresses and numbers. Counts distinct questions of that kind per principal; the console, which asks them all when a page is opened, is left out. Refused ones count.',
  severity: 'medium',
  severityReason: 'Typical of the first minutes after a leak; inventory tools ask some of these too.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1496.004', version: 16 },
    { technique: 'T1526', version: 16 },
  ],
  tags: ['discovery', 'impact'],
  when: {
    all: [
      {
        any: [
          {
            event_source: 'ses.amazonaws.com',
            event_name: [
              'GetSendQuota',
              'GetAccount',
              'GetAccountSendingEnabled',
              'ListIdentities',
              'ListEmailIdentities',
              'GetSendStatistics',
              'ListVerifiedEmailAddresses',
              'GetIdentityVerificationAttributes',
            ],
          },
          {
            event_source: 'sns.amazonaws.com',
            event_name: [
              'GetSMSAttributes',
              'GetSMSSandboxAccountStatus',
              'ListOriginationNumbers',
              'ListSMSSandboxPhoneNumbers',
            ],
          },
        ],
      },
      { not: { session_from_console: true } },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('questions'), distinct: 'event_name', within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} asked {peak} kinds of questions about sending in {aws_region}, first {event_name}, from {source_address}',
  parameters: {
    questions: z.int().min(2).default(4).describe('distinct calls; a program asks one or two before it sends'),
  },
  falsePositives: ['Inventory and compliance tools: suppress their roles.'],
  blindSpots: ['One question in each region: recon-burst counts other kinds.', 'Slow probing.'],

  response: [
    'See what else the key did (saved question access-key-activity); GetCallerIdentity often stands right before.',
  ],
  examples: [
    {
      name: 'each question of SES',
      records: [...SES],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 8 },
      ],
    },
    {
      name: 'each question of SNS',
      records: [...SNS],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
    },
    {
      name: 'refused as well',
      records: SES.slice(0, 4).map((record) => ({ ...record, errorCode: 'AccessDenied' })),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
    },
    { name: 'one less, or the same again and again', records: [...SES.slice(0, 3), ...SES.slice(0, 3)], alerts: [] },
    {
      name: 'spread over an hour',
      records: [{ repeat: 8, every: '5m', record: (index: number) => SES[index] ?? {} }],
      alerts: [],
    },
    {
      name: 'in the console',
      records: SES.map((record) => ({ ...record, sessionCredentialFromConsole: 'true' })),
      alerts: [],
    },
    {
      name: 'by an AWS service, or other services and calls',
      records: [
        ...SES.map((record) => ({
          ...record,
          userIdentity: { type: 'AWSService', invokedBy: 'trustedadvisor.amazonaws.com' },
        })),
        ...SES.map((record) => ({ ...record, eventSource: 'example.amazonaws.com' })),
        ...SNS.map((record) => ({ ...record, eventSource: 'example.amazonaws.com' })),
        ...['ListTemplates', 'ListReceiptFilters', 'ListReceiptRuleSets', 'ListConfigurationSets'].map((eventName) => ({
          eventSource: 'ses.amazonaws.com',
          eventName,
        })),
        ...['ListTopics', 'ListSubscriptions', 'GetTopicAttributes', 'ListPlatformApplications'].map((eventName) => ({
          eventSource: 'sns.amazonaws.com',
          eventName,
        })),
      ],
      alerts: [],
    },
  ],
});
