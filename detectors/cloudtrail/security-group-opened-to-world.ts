/** A security group lets the whole internet in, elsewhere than at a web server's door. */
import { defineDetector, z } from '../../src/detector.ts';

const authorize = (requestParameters: object) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'AuthorizeSecurityGroupIngress',
  requestParameters: { groupId: 'sg-1234567890abcdef0', ...requestParameters },
});
const rule = (port: number | string, range: object, ipProtocol = 'tcp') => ({
  ipProtocol,
  fromPort: port,
  toPort: port,
  groups: {},
  ipRanges: {},
  ipv6Ranges: {},
  prefixListIds: {},
  ...range,
});
const world = { ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] } };
const office = { ipRanges: { items: [{ cidrIp: '198.51.100.0/24' }] } };
const rules = (...items: object[]) => authorize({ ipPermissions: { items } });
const ssh = rules(rule(22, world));
const ALERT = [
  { subject: { principal: 'arn:aws:iam::111122223333:user/Alice', security_group: 'sg-1234567890abcdef0' } },
];

export const detector = defineDetector({
  id: 'security-group-opened-to-world',
  title: 'A security group was opened to the internet',
  description:
    'An inbound rule for every address (a network of at most seven bits counts as every) at other ports than those of web servers. CloudTrail has two shapes for the call, and both are read: rules under ipPermissions.items, and a single rule in the parameters themselves. Ping is left out.',
  severity: 'high',
  severityReason: 'Within minutes the port is tried by strangers; only web servers want that.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.007', version: 16 }],
  tags: ['defense-evasion', 'data-protection'],
  when: {
    all: [
      { event_source: 'ec2.amazonaws.com', event_name: 'AuthorizeSecurityGroupIngress', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  sql: `-- One row per principal, security group and hour in which a rule let the world in.
WITH opened AS (
  SELECT date_trunc('hour', event_time) AS slot, event_time, event_id, account_id, principal, principal_arn, aws_region, source_ip, source_address,
    coalesce(json_extract_scalar(request_parameters, '$.groupId'), json_extract_scalar(request_parameters, '$.groupName'), 'unknown') AS security_group
  FROM cloudtrail
  WHERE cardinality(filter(
      coalesce(TRY_CAST(json_extract(request_parameters, '$.ipPermissions.items') AS ARRAY(JSON)), ARRAY[json_extract(request_parameters, '$')]),
      rule -> regexp_like(json_format(rule), '"cidrIp(v6)?" *: *"[0-9a-fA-F.:]+/[0-7]"')
        AND coalesce(json_extract_scalar(rule, '$.ipProtocol'), '-1') NOT IN ('icmp', 'icmpv6', '1', '58')
        AND NOT coalesce(json_extract_scalar(rule, '$.fromPort') = json_extract_scalar(rule, '$.toPort')
          AND strpos(concat(',', :web_ports, ','), concat(',', json_extract_scalar(rule, '$.fromPort'), ',')) > 0, false)
    )) > 0
)
SELECT slot, account_id, principal, security_group, min(principal_arn) AS principal_arn, min(aws_region) AS aws_region, min(source_ip) AS source_ip,
  min(source_address) AS source_address, min(event_time) AS first_seen, max(event_time) AS last_seen, count(*) AS count,
  array_agg(event_id ORDER BY event_time, event_id) AS event_ids
FROM opened
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  slot: '1h',
  subject: ['account_id', 'principal', 'security_group'],
  summary:
    '{principal} opened {security_group} to the internet in {aws_region} from {source_address} ({count} rules or calls)',
  parameters: {
    web_ports: z
      .string()
      .regex(/^[0-9]+(,[0-9]+)*$/)
      .default('80,443')
      .describe('ports, separated by commas, that may be open to everybody because web servers listen there'),
  },
  falsePositives: ['A mail server, a VPN or a game that serves everybody at its own port: add the port.'],
  blindSpots: [
    'Rules changed in place (ModifySecurityGroupRules) and groups handed to a machine that were open before.',
    'Prefix lists that hold the world.',
    'Whether anything listens behind the port.',
  ],
  response: [
    'Take the rule back (RevokeSecurityGroupIngress), then look into the flow logs of the machines behind it.',
  ],
  examples: [
    { name: 'SSH for everybody', records: [ssh], alerts: ALERT },
    {
      name: 'the other shape of the call',
      records: [authorize({ ipPermissions: {}, ipProtocol: 'tcp', fromPort: 22, toPort: 22, cidrIp: '0.0.0.0/0' })],
      alerts: ALERT,
    },
    {
      name: 'over IPv6, in half of the internet, at all ports',
      records: [
        rules(rule('3389', { ipv6Ranges: { items: [{ cidrIpv6: '::/0' }] } })),
        rules(rule(22, { ipRanges: { items: [{ cidrIp: '128.0.0.0/1' }] } })),
        rules({ ipProtocol: '-1', ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] } }),
      ],
      alerts: [{ subject: { security_group: 'sg-1234567890abcdef0' }, count: 3 }],
    },
    {
      name: 'a range of ports that begins at one of the web',
      records: [rules({ ...rule(80, world), toPort: 65535 })],
      alerts: ALERT,
    },
    {
      name: 'SSH for everybody beside a web server',
      records: [rules(rule(443, world), rule(22, world))],
      alerts: ALERT,
    },
    {
      name: 'a web server, and SSH for the office',
      records: [rules(rule(443, world), rule('80', world), rule(22, office))],
      alerts: [],
    },
    { name: 'ping', records: [rules(rule(-1, world, 'icmp'))], alerts: [] },
    {
      name: 'a port that the operator allows',
      records: [rules(rule(25, world))],
      alerts: [],
      parameters: { web_ports: '25,80,443' },
    },
    {
      name: 'refused, outbound, another service, or by an AWS service',
      records: [
        { ...ssh, errorCode: 'Client.InvalidPermission.Duplicate' },
        { ...ssh, eventName: 'AuthorizeSecurityGroupEgress' },
        { ...ssh, eventSource: 'example.amazonaws.com' },
        { ...ssh, userIdentity: { type: 'AWSService', invokedBy: 'elasticmapreduce.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
