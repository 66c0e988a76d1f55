/** Something was changed in a region where the house does not work. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

/** Services without regions, which write us-east-1 into every record. */
const GLOBAL = [
  'iam.amazonaws.com',
  'sts.amazonaws.com',
  'signin.amazonaws.com',
  'organizations.amazonaws.com',
  'account.amazonaws.com',
  'billing.amazonaws.com',
  'cloudfront.amazonaws.com',
  'route53.amazonaws.com',
  'route53domains.amazonaws.com',
  'shield.amazonaws.com',
  'support.amazonaws.com',
  'globalaccelerator.amazonaws.com',
  'health.amazonaws.com',
  'trustedadvisor.amazonaws.com',
  'waf.amazonaws.com',
];
const change = (awsRegion: string) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'RunInstances',
  awsRegion,
  readOnly: false,
});
const outside = change('ap-south-1');
const OURS = { regions: ['eu-', 'us-west-2'] };
const SUBJECT = { principal: 'arn:aws:iam::111122223333:user/Alice' };

export const detector = defineDetector({
  id: 'call-outside-regions',
  title: 'Something was changed in a region where the house does not work',
  description:
    'Name the regions in which you work; a call that changes something in another one and succeeds is told once an hour and principal. Silent until regions are named. Reading is left out, because the console and scanners read everywhere, and so are services without regions, whose records all say us-east-1.',
  severity: 'medium',
  severityReason: 'You drew the line; what runs outside of it is unseen and paid for.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1535', version: 16 }],
  tags: ['defense-evasion', 'fence'],
  when: {
    all: [
      { outcome: 'success', aws_region: { exists: true } },
      { not: { aws_region: { startswith: parameter('regions') } } },
      { not: { event_source: parameter('global_services'), aws_region: ['us-east-1', 'us-west-2'] } },
      { not: { read_only: true } },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal', 'aws_region'],
  summary:
    '{principal} changed something in {aws_region}, first {event_name} ({event_source}) from {source_address} ({count} calls in the hour)',
  parameters: {
    regions: z
      .array(z.string())
      .min(1)
      .default([''])
      .describe('regions, or their beginnings: eu- for all of Europe; the default is every region'),
    global_services: z
      .array(z.string())
      .default(GLOBAL)
      .describe('event sources of services without regions, which record us-east-1 (Global Accelerator us-west-2)'),
  },
  falsePositives: [
    'A baseline that is rolled out to all regions: suppress its role.',
    'A certificate for CloudFront, which must lie in us-east-1.',
  ],
  blindSpots: [
    'Regions that a trail of a single region does not record.',
    'Records up to eventVersion 1.05, which mostly do not say whether a call reads, count as changes.',
  ],
  response: [
    'Run the saved question regions-in-use, and principal-timeline for the principal.',
    'Look for instances and functions in aws_region that nobody knows.',
  ],
  examples: [
    {
      name: 'a server where nobody works',
      records: [outside],
      alerts: [{ subject: { account_id: '111122223333', ...SUBJECT, aws_region: 'ap-south-1' } }],
      parameters: OURS,
    },
    {
      name: 'regions of the list, one by its beginning',
      records: [change('eu-central-1'), change('us-west-2')],
      alerts: [],
      parameters: OURS,
    },
    { name: 'no regions are named', records: [outside], alerts: [] },
    {
      name: 'services without regions, whose records say us-east-1 or us-west-2',
      records: [
        ...GLOBAL.map((eventSource) => ({ ...change('us-east-1'), eventSource, eventName: 'CreateThing' })),
        { ...change('us-west-2'), eventSource: 'globalaccelerator.amazonaws.com', eventName: 'CreateAccelerator' },
      ],
      alerts: [],
      parameters: { regions: ['eu-'] },
    },
    {
      name: 'one of them with another region, and another service in us-east-1',
      records: [{ ...outside, eventSource: 'sts.amazonaws.com', eventName: 'AssumeRole' }, change('us-east-1')],
      alerts: [
        { subject: { ...SUBJECT, aws_region: 'ap-south-1' } },
        { subject: { ...SUBJECT, aws_region: 'us-east-1' } },
      ],
      parameters: OURS,
    },
    {
      name: 'only read, refused, an AWS service, or a record without region',
      records: [
        { ...outside, readOnly: true },
        { ...outside, errorCode: 'Client.UnauthorizedOperation' },
        { ...outside, userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' } },
        { ...outside, awsRegion: undefined },
      ],
      alerts: [],
      parameters: OURS,
    },
  ],
});
