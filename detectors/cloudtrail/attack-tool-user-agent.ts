/** The caller's program calls itself an attack tool. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = (userAgent: string) => ({ eventSource: 'sts.amazonaws.com', eventName: 'GetCallerIdentity', userAgent });

export const detector = defineDetector({
  id: 'attack-tool-user-agent',
  title: 'A tool made for attacks was used',
  description:
    'Distributions made for intrusion name themselves in the kernel version that the AWS command line sends along, and several tools name themselves outright. Few intruders bother to hide it.',
  severity: 'high',
  severityReason: 'A confession, unless somebody was paid to attack.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['initial-access'],
  when: { all: [{ user_agent: { re: parameter('tools') } }, { not: { actor_type: 'service' } }] },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} used {user_agent} from {source_address}, first for {event_name} ({count} calls in the hour)',
  parameters: {
    tools: z
      .string()
      .default(
        '(?i)(kali[^a-z]|parrot|pentoo|blackarch|pacu|stratus-red-team|cloudfox|weirdaal|enumerate-iam|aws[_-]consoler|trufflehog|peirates|cloudgoat)',
      )
      .describe('RE2 pattern, found anywhere in the user agent'),
  },
  falsePositives: [
    'A penetration test or an exercise: suppress its principal until the day it ends.',
    'A scanner for leaked keys that the house itself runs.',
  ],
  blindSpots: ['Anybody who sets another user agent, which takes one line.'],
  response: [
    'Deactivate the key (access_key_id), then list all it did.',
    'Run the saved questions access-key-activity for access_key_id and top-user-agents.',
  ],
  examples: [
    {
      name: 'a distribution for intrusion gives itself away',
      records: [
        call('aws-cli/2.15.0 Python/3.11.8 Linux/6.6.9-kali1-amd64 exe/x86_64'),
        call('Pacu/1.5 botocore/1.34'),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'each of the tools',
      records: [
        'aws-cli/2.15.0 Linux/6.6.9-kali exe/x86_64',
        'Boto3/1.34 Linux/6.10.11-parrot7-amd64',
        'Boto3/1.34 Linux/6.1.53-pentoo',
        'Boto3/1.34 Linux/6.12.1-blackarch1',
        'stratus-red-team_ab44e842-2a25-45ad-a141-42e46aab0f86',
        'cloudfox/1.15.0',
        'weirdAAL/1.0',
        'enumerate-iam',
        'aws_consoler',
        'aws-consoler',
        'TruffleHog',
        'peirates',
        'cloudgoat',
      ].map((agent) => call(agent)),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 13 }],
    },
    {
      name: 'each of the tools',
      records: [
        'aws-cli/2.15.0 Linux/6.6.9-kali exe/x86_64',
        'Boto3/1.34 Linux/6.10.11-parrot7-amd64',
        'Boto3/1.34 Linux/6.1.53-pentoo',
        'Boto3/1.34 Linux/6.12.1-blackarch1',
        'stratus-red-team_ab44e842-2a25-45ad-a141-42e46aab0f86',
        'cloudfox/1.15.0',
        'weirdAAL/1.0',
        'enumerate-iam',
        'aws_consoler',
        'aws-consoler',
        'TruffleHog',
        'peirates',
        'cloudgoat',
      ].map((agent) => call(agent)),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 13 }],
    },
    {
      name: 'ordinary programs, one of them with a name alike',
      records: [call('aws-cli/2.15.0 Python/3.11.8 Linux/6.5.0-aws'), call('alkaline-report/1.0 kalibrate/2')],
      alerts: [],
    },
    {
      name: 'the operator adds a tool',
      records: [call('mytool/1.0')],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
      parameters: { tools: 'mytool' },
    },
    {
      name: 'an AWS service hands on what it was called with',
      records: [
        { ...call('Pacu/1.5'), userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
