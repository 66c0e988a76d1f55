/** Somebody asks the questions with which an intruder learns where they are. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

/** Calls that take stock of an account as a whole. Tools that manage known resources ask for single ones; what pages of the console ask for in passing is left out. */
const QUESTIONS = [
  'GetCallerIdentity',
  'GetAccountAuthorizationDetails',
  'GetAccountSummary',
  'GetAccountPasswordPolicy',
  'GetCredentialReport',
  'ListAccountAliases',
  'ListUsers',
  'ListRoles',
  'ListGroups',
  'ListPolicies',
  'ListAccessKeys',
  'ListMFADevices',
  'ListVirtualMFADevices',
  'ListSAMLProviders',
  'ListOpenIDConnectProviders',
  'ListAccounts',
  'DescribeOrganization',
  'DescribeTrails',
  'LookupEvents',
  'ListDetectors',
  'DescribeConfigurationRecorders',
  'DescribeInstances',
  'DescribeDBInstances',
  'ListBuckets',
  'ListFunctions',
  'ListTables',
  'ListKeys',
  'ListSecrets',
  'DescribeParameters',
  'ListClusters',
  'DescribeRepositories',
  'ListHostedZones',
  'ListDomains',
  'ListQueues',
  'ListTopics',
  'GetSendQuota',
  'ListIdentities',
  'GetServiceQuota',
  'ListServiceQuotas',
  'ListFoundationModels',
];

const question = (index: number) => ({ eventSource: 'iam.amazonaws.com', eventName: QUESTIONS[index] });

export const detector = defineDetector({
  id: 'recon-burst',
  title: 'One principal took stock of the whole account',
  description:
    'Whoever arrives with stolen credentials first asks: who am I, what is here, who is watching? Counts distinct calls out of a list of such questions, per principal in a sliding window. Ordinary programs ask for what they need, by name.',
  severity: 'medium',
  severityReason: 'The first minutes of most intrusions, and of every audit.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1580', version: 16 },
    { technique: 'T1087.004', version: 16 },
    { technique: 'T1526', version: 16 },
  ],
  tags: ['discovery'],
  when: { all: [{ event_name: QUESTIONS }, { not: { actor_type: 'service' } }] },
  threshold: { atLeast: parameter('questions'), distinct: 'event_name', within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} asked {peak} kinds of questions about the account from {source_address} with {user_agent}',
  parameters: {
    questions: z
      .int()
      .min(2)
      .default(12)
      .describe('distinct calls of the list; somebody at work in the console meets fewer'),
  },
  falsePositives: [
    'Security scanners and inventory tools: suppress their roles.',
    'Somebody new who clicks through the console.',
  ],
  blindSpots: ['Questions asked slowly.', 'Questions put to S3 objects or other data.'],
  response: [
    'See what the principal did next, changes first.',
    'Compare source_address and user_agent with the week before.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'twelve kinds of questions, some refused, in four minutes',
      records: [
        { repeat: 10, every: '20s', record: question },
        { repeat: 2, every: '20s', record: (index) => ({ ...question(10 + index), errorCode: 'AccessDenied' }) },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 12, peak: 12 }],
    },
    {
      name: 'every question of the list',
      records: [{ repeat: QUESTIONS.length, every: '10s', record: question }],
      alerts: [
        {
          subject: { principal: 'arn:aws:iam::111122223333:user/Alice' },
          count: QUESTIONS.length,
          peak: QUESTIONS.length,
        },
      ],
    },
    { name: 'one kind fewer', records: [{ repeat: 11, every: '20s', record: question }], alerts: [] },
    { name: 'one question again and again', records: [{ repeat: 60, every: '5s', record: question(0) }], alerts: [] },
    { name: 'as many kinds over a day', records: [{ repeat: 12, every: '1h', record: question }], alerts: [] },
    {
      name: 'a tool that refreshes what it manages',
      records: [
        {
          repeat: 30,
          every: '5s',
          record: (index) => ({ eventSource: 'iam.amazonaws.com', eventName: `GetThing${index}` }),
        },
      ],
      alerts: [],
    },
    {
      name: 'an AWS service takes stock',
      records: [
        {
          repeat: 20,
          every: '5s',
          record: (index) => ({
            ...question(index),
            userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' },
          }),
        },
      ],
      alerts: [],
    },
  ],
});
