/** A web firewall was taken off or stopped logging. */
import { defineDetector } from '../../src/detector.ts';

const removal = {
  eventSource: 'wafv2.amazonaws.com',
  eventName: 'DisassociateWebACL',
  requestParameters: {
    resourceArn: 'arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/web/1234567890abcdef',
  },
};

export const detector = defineDetector({
  id: 'web-acl-removed',
  title: 'AWS WAF protection or its log was removed',
  description: 'A web ACL was deleted or taken off a resource, or its logging configuration was deleted.',
  severity: 'medium',
  severityReason:
    'Opens an application to the attacks the firewall held off; a service that is taken down looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.007', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    event_source: ['wafv2.amazonaws.com', 'waf.amazonaws.com', 'waf-regional.amazonaws.com'],
    event_name: ['DeleteWebACL', 'DisassociateWebACL', 'DeleteLoggingConfiguration'],
    outcome: 'success',
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} on AWS WAF in {aws_region} from {source_address}',
  falsePositives: ['An application that is taken down with all that belongs to it.'],
  blindSpots: [
    'Rules that are set to count (UpdateWebACL).',
    'CloudFront distributions name their web ACL themselves (UpdateDistribution).',
  ],
  response: ['See which resource lost its protection and put it back.'],
  examples: [
    {
      name: 'each of the calls, at each generation of AWS WAF',
      records: [
        ...['DeleteWebACL', 'DisassociateWebACL', 'DeleteLoggingConfiguration'].map((eventName) => ({
          ...removal,
          eventName,
        })),
        ...['waf', 'waf-regional'].map((service) => ({
          ...removal,
          eventName: 'DeleteWebACL',
          eventSource: `${service}.amazonaws.com`,
        })),
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
    },
    {
      name: 'a load balancer loses its web ACL',
      records: [removal],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, associated, or another service',
      records: [
        { ...removal, errorCode: 'AccessDenied' },
        { ...removal, eventName: 'AssociateWebACL' },
        { ...removal, eventName: 'DeleteLoggingConfiguration', eventSource: 'ivschat.amazonaws.com' },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['DeleteWebACL', 'DeleteLoggingConfiguration'].map((eventName) => ({
        eventName,
        eventSource: 'wafv2.amazonaws.com',
        requestParameters: {
          resourceArn: 'arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/web/1234567890abcdef',
        },
      })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'under the names of the older services',
      records: ['waf', 'waf-regional'].map((service) => ({ ...removal, eventSource: `${service}.amazonaws.com` })),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 }],
    },
  ],
});
