/** The record of DNS queries was switched off. */
import { defineDetector } from '../../src/detector.ts';

const deletion = {
  eventSource: 'route53resolver.amazonaws.com',
  eventName: 'DeleteResolverQueryLogConfig',
  requestParameters: { resolverQueryLogConfigId: 'rqlc-1234567890abcdef' },
};

export const detector = defineDetector({
  id: 'dns-query-logs-deleted',
  title: 'DNS query logging was switched off',
  description:
    'The names that instances ask for give away command servers and tunnels. The configuration was deleted or taken off a VPC.',
  severity: 'medium',
  severityReason: 'Hides traffic; a VPC that is torn down looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    any: [
      {
        event_source: 'route53resolver.amazonaws.com',
        event_name: ['DeleteResolverQueryLogConfig', 'DisassociateResolverQueryLogConfig'],
        outcome: 'success',
      },
      { event_source: 'route53.amazonaws.com', event_name: 'DeleteQueryLoggingConfig', outcome: 'success' },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} in {aws_region} from {source_address}',
  falsePositives: ['A VPC or a hosted zone that is given up.'],
  blindSpots: ['A destination that no longer accepts the logs.', 'Instances that ask a resolver outside of AWS.'],
  response: ['Create or associate the configuration again.'],
  examples: [
    {
      name: 'a VPC is taken out of the configuration',
      records: [{ ...deletion, eventName: 'DisassociateResolverQueryLogConfig' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    {
      name: 'the configuration is deleted',
      records: [deletion],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a hosted zone loses its log',
      records: [{ ...deletion, eventSource: 'route53.amazonaws.com', eventName: 'DeleteQueryLoggingConfig' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, read, or another service',
      records: [
        { ...deletion, errorCode: 'AccessDeniedException' },
        { ...deletion, eventName: 'GetResolverQueryLogConfig' },
        { ...deletion, eventSource: 'example.amazonaws.com' },
        {
          ...deletion,
          eventSource: 'route53.amazonaws.com',
          eventName: 'DeleteQueryLoggingConfig',
          errorCode: 'AccessDenied',
        },
        { ...deletion, eventSource: 'route53.amazonaws.com', eventName: 'GetQueryLoggingConfig' },
        { ...deletion, eventName: 'DeleteQueryLoggingConfig' },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['DisassociateResolverQueryLogConfig'].map((eventName) => ({
        eventName,
        eventSource: 'route53resolver.amazonaws.com',
        requestParameters: { resolverQueryLogConfigId: 'rqlc-1234567890abcdef' },
      })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
  ],
});
