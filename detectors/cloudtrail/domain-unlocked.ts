/** A registered domain was unlocked or handed over. */
import { defineDetector } from '../../src/detector.ts';

const unlock = {
  eventSource: 'route53domains.amazonaws.com',
  // route53domains logs its calls with a lower first letter.
  eventName: 'disableDomainTransferLock',
  requestParameters: { domainName: 'example.com' },
};

export const detector = defineDetector({
  id: 'domain-unlocked',
  version: 2,
  title: 'A domain was unlocked or transferred',
  description:
    'Whoever takes a domain away receives its mail and with it the password resets of everything. The lock is the last step before the transfer.',
  severity: 'high',
  severityReason: 'Once the domain has gone to another registrar it is hard to get back.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1584.001', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      {
        event_source: 'route53domains.amazonaws.com',
        event_name: [
          'DisableDomainTransferLock',
          'TransferDomainToAnotherAwsAccount',
          'RetrieveDomainAuthCode',
          'UpdateDomainNameservers',
        ],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} on {request_parameters.domainName} from {source_address}',
  falsePositives: ['A planned change of registrar or account.'],
  blindSpots: ['Domains of other registrars, and records of the zone itself (ChangeResourceRecordSets).'],
  response: ['Lock the domain again, at once; call AWS Support if a transfer has begun.'],
  examples: [
    {
      name: 'each of the calls, in the two spellings of AWS',
      records: [
        'DisableDomainTransferLock',
        'transferDomainToAnotherAwsAccount',
        'RetrieveDomainAuthCode',
        'UpdateDomainNameservers',
      ].map((eventName) => ({ ...unlock, eventName })),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
    },
    {
      name: 'the lock is taken off',
      records: [unlock],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, locked, another service, or by an AWS service',
      records: [
        { ...unlock, errorCode: 'AccessDeniedException' },
        { ...unlock, eventName: 'enableDomainTransferLock' },
        { ...unlock, eventSource: 'route53.amazonaws.com' },
        { ...unlock, userIdentity: { type: 'AWSService', invokedBy: 'route53domains.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
