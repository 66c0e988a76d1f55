/** A call did not come through the VPC endpoint that was expected. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = (vpcEndpointId?: string) => ({
  eventSource: 'secretsmanager.amazonaws.com',
  eventName: 'GetSecretValue',
  ...(vpcEndpointId === undefined ? {} : { vpcEndpointId }),
});
const OURS = {
  services: ['secretsmanager.amazonaws.com', 'kms.amazonaws.com'],
  endpoints: ['vpce-1234567890abcdef0'],
};
const ALERT = { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } };

export const detector = defineDetector({
  id: 'call-outside-vpc-endpoint',
  title: 'A call did not come through the expected VPC endpoint',
  description:
    'Name services that your programs reach through VPC endpoints alone, and those endpoints; a call to such a service by another way, over the internet or through an endpoint of somebody else, is told once an hour. Silent until services are named. Calls that AWS services make for somebody pass through no endpoint and are left out.',
  severity: 'medium',
  severityReason: 'The credentials are used outside the network that they belong to; the console looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['credential-access', 'fence'],
  when: {
    all: [
      { event_source: parameter('services') },
      { not: { vpc_endpoint_id: parameter('endpoints') } },
      { not: { actor_type: 'service' } },
      { not: { invoked_by: { exists: true } } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal', 'event_source'],
  summary:
    '{principal} called {event_name} ({event_source}, {outcome}) from {source_address} by the endpoint {vpc_endpoint_id}, none of ours ({count} calls in the hour)',
  parameters: {
    services: z
      .array(z.string())
      .default([])
      .describe('event sources such as secretsmanager.amazonaws.com; the default is none'),
    endpoints: z.array(z.string()).default([]).describe('ids of your VPC endpoints for these services, vpce-…'),
  },
  falsePositives: [
    'People who use the console or a shell at home.',
    'An endpoint that was made anew and has another id.',
  ],
  blindSpots: [
    'A thief inside the VPC.',
    'Records of S3 from before 2020, which note the endpoint in additionalEventData only.',
  ],
  response: [
    'Run the saved question address-activity for source_ip, and access-key-activity for access_key_id.',
    'Deny by aws:SourceVpce in the policies of the resources.',
  ],
  examples: [
    {
      name: 'over the internet, and through an endpoint of somebody else, refused',
      records: [call(), { ...call('vpce-0fedcba0987654321'), errorCode: 'AccessDeniedException' }],
      alerts: [{ ...ALERT, count: 2 }],
      parameters: OURS,
    },
    {
      name: 'through the endpoint, or to a service that is not named',
      records: [
        call('vpce-1234567890abcdef0'),
        { ...call(), eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances' },
      ],
      alerts: [],
      parameters: OURS,
    },
    { name: 'nothing is named', records: [call()], alerts: [] },
    {
      name: 'an AWS service, of its own or for somebody',
      records: [
        {
          ...call(),
          userIdentity: {
            type: 'AssumedRole',
            arn: 'arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForConfig/session',
            accountId: '111122223333',
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                arn: 'arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig',
              },
            },
          },
        },
        {
          ...call(),
          userIdentity: {
            type: 'IAMUser',
            arn: 'arn:aws:iam::111122223333:user/Alice',
            accountId: '111122223333',
            userName: 'Alice',
            invokedBy: 'cloudformation.amazonaws.com',
          },
        },
      ],
      alerts: [],
      parameters: OURS,
    },
  ],
});
