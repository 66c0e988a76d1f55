/** A rule of a security group is rewritten to let the world in. */
import { defineDetector } from '../../src/detector.ts';

const change = (rule: object) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'ModifySecurityGroupRules',
  requestParameters: {
    ModifySecurityGroupRulesRequest: {
      GroupId: 'sg-1234567890abcdef0',
      SecurityGroupRule: {
        tag: 1,
        SecurityGroupRuleId: 'sgr-1234567890abcdef0',
        SecurityGroupRule: { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, ...rule },
      },
    },
  },
});

export const detector = defineDetector({
  id: 'security-group-rule-changed-to-world',
  title: 'A rule of a security group was changed to let the world in',
  description:
    'ModifySecurityGroupRules rewrites a rule that is there, so that none is added. Here its source became every address.',
  severity: 'medium',
  severityReason: 'Opens machines in a call that looks harmless; web servers are opened in the same way.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.007', version: 16 }],
  tags: ['defense-evasion', 'edge'],
  when: {
    all: [
      {
        event_source: 'ec2.amazonaws.com',
        event_name: 'ModifySecurityGroupRules',
        outcome: 'success',
        request_parameters: { re: '"CidrIpv[46]" *: *"[0-9a-fA-F.:]+/0"' },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} changed a rule of {request_parameters.ModifySecurityGroupRulesRequest.GroupId} to the whole internet, in {aws_region} from {source_address}',

  falsePositives: ['A web server that goes public.'],
  blindSpots: [
    'Rules that are added: security-group-opened-to-world. Networks that are nearly the world, such as 0.0.0.0/1.',
    'Which way the rule points: it may be one for outgoing traffic.',
  ],

  response: ['Take the rule back; run the saved question security-group-changes for the group.'],
  examples: [
    {
      name: 'IPv4 and IPv6',
      records: [change({ CidrIpv4: '0.0.0.0/0' }), change({ CidrIpv6: '::/0' })],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'a network',
      records: [
        change({ CidrIpv4: '10.0.0.0/8' }),
        change({ CidrIpv6: '2001:db8::/32' }),
        change({ Description: '0.0.0.0/0' }),
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...change({ CidrIpv4: '0.0.0.0/0' }), errorCode: 'Client.UnauthorizedOperation' },
        { ...change({ CidrIpv4: '0.0.0.0/0' }), eventName: 'DescribeSecurityGroupRules' },
        { ...change({ CidrIpv4: '0.0.0.0/0' }), eventSource: 'example.amazonaws.com' },
        {
          ...change({ CidrIpv4: '0.0.0.0/0' }),
          userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' },
        },
      ],
      alerts: [],
    },
  ],
});
