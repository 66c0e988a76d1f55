/** A service that finds or stops attacks was switched off. */
import { defineDetector } from '../../src/detector.ts';

/** What switches each of them off: the operations of their service models in botocore 1.44. */
const CALLS = {
  'inspector2.amazonaws.com': ['Disable', 'DisassociateMember', 'DisableDelegatedAdminAccount'],
  'shield.amazonaws.com': [
    'DeleteProtection',
    'DeleteProtectionGroup',
    'DisassociateDRTRole',
    'DisableProactiveEngagement',
    'DisableApplicationLayerAutomaticResponse',
  ],
  'fms.amazonaws.com': ['DeletePolicy', 'DisassociateAdminAccount', 'DeleteNotificationChannel'],
  'network-firewall.amazonaws.com': ['DeleteFirewall', 'DeleteFirewallPolicy', 'DisassociateSubnets'],
  'access-analyzer.amazonaws.com': ['DeleteAnalyzer'],
  'detective.amazonaws.com': ['DeleteGraph', 'DisassociateMembership', 'DisableOrganizationAdminAccount'],
} as const;

const calls = Object.entries(CALLS).flatMap(([eventSource, names]) =>
  names.map((eventName) => ({ eventSource, eventName })),
);
const off = {
  eventSource: 'inspector2.amazonaws.com',
  eventName: 'Disable',
  requestParameters: { resourceTypes: ['EC2'] },
};

export const detector = defineDetector({
  id: 'security-service-disabled',
  title: 'Inspector, Shield, Firewall Manager, Network Firewall, Access Analyzer or Detective was switched off',
  description:
    'The service was disabled, its protection, firewall, policy or analyzer deleted, or the account taken out of its sight. GuardDuty, Security Hub, Macie, Config and AWS WAF have detectors of their own.',
  severity: 'medium',
  severityReason: 'Takes a guard away; pipelines that take an environment down do so as well.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      { any: Object.entries(CALLS).map(([event_source, names]) => ({ event_source, event_name: [...names] })) },
      { outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} on {event_source} in {aws_region} from {source_address}',
  falsePositives: ['An environment or a member account that is given up.', 'A trial of the service that ends.'],
  blindSpots: [
    'Rules that are loosened while the service stays on (UpdateFirewallPolicy, UpdateRuleGroup, PutPolicy).',
    'Findings that are suppressed by a filter (CreateFilter of Inspector, CreateArchiveRule of Access Analyzer).',
  ],
  response: [
    'Switch it on again; run the saved question recent-changes for what the principal changed in the same hour.',
  ],
  examples: [
    {
      name: 'each of the services is switched off in each way',
      records: calls,
      alerts: [
        {
          subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' },
          count: calls.length,
        },
      ],
    },
    {
      name: 'the same name at another service, and another call of the same service',
      records: [
        { eventSource: 'organizations.amazonaws.com', eventName: 'DeletePolicy' },
        { eventSource: 'securityhub.amazonaws.com', eventName: 'DisableOrganizationAdminAccount' },
        { eventSource: 'macie2.amazonaws.com', eventName: 'DisassociateMember' },
        { eventSource: 'network-manager.amazonaws.com', eventName: 'DeleteFirewall' },
        { eventSource: 'example.amazonaws.com', eventName: 'DeleteProtection' },
        { eventSource: 'example.amazonaws.com', eventName: 'DeleteAnalyzer' },
        { eventSource: 'inspector2.amazonaws.com', eventName: 'Enable' },
        { eventSource: 'shield.amazonaws.com', eventName: 'CreateProtection' },
        { eventSource: 'fms.amazonaws.com', eventName: 'PutPolicy' },
        { eventSource: 'network-firewall.amazonaws.com', eventName: 'AssociateSubnets' },
        { eventSource: 'access-analyzer.amazonaws.com', eventName: 'CreateAnalyzer' },
        { eventSource: 'detective.amazonaws.com', eventName: 'CreateGraph' },
      ],
      alerts: [],
    },
    {
      name: 'refused, or by an AWS service',
      records: [
        { ...off, errorCode: 'AccessDeniedException' },
        { ...off, userIdentity: { type: 'AWSService', invokedBy: 'organizations.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
