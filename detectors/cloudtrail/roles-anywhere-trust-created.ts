/** IAM Roles Anywhere was told to trust a certificate authority. */
import { defineDetector } from '../../src/detector.ts';

const anchor = {
  eventSource: 'rolesanywhere.amazonaws.com',
  eventName: 'CreateTrustAnchor',
  requestParameters: { enabled: true, name: 'on-premises' },
};

export const detector = defineDetector({
  id: 'roles-anywhere-trust-created',
  title: 'Roles Anywhere was given a trust anchor or profile',
  description:
    'A trust anchor lets anyone with a certificate of that authority enter roles from outside of AWS, without an access key and for as long as the anchor exists. A profile says into which roles.',
  severity: 'medium',
  severityReason: 'A quiet and lasting way in, and one that few accounts use.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.001', version: 16 }],
  tags: ['persistence'],
  when: {
    event_source: 'rolesanywhere.amazonaws.com',
    event_name: ['CreateTrustAnchor', 'UpdateTrustAnchor', 'CreateProfile', 'UpdateProfile'],
    outcome: 'success',
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} for {request_parameters.name} in {aws_region} from {source_address}',
  falsePositives: ['Roles Anywhere is being introduced.'],
  blindSpots: ['Sessions that come in through an anchor that was there before (CreateSession).'],
  response: [
    'Look at the certificate of the anchor and the roleArns of the profile; list CreateSession since.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'an anchor and a profile within minutes, and changes of both',
      records: [
        anchor,
        { ...anchor, eventName: 'CreateProfile' },
        { ...anchor, eventName: 'UpdateTrustAnchor' },
        { ...anchor, eventName: 'UpdateProfile' },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
    },
    {
      name: 'refused, removed, or a profile of another service',
      records: [
        { ...anchor, errorCode: 'AccessDeniedException' },
        { ...anchor, eventName: 'DeleteTrustAnchor' },
        { ...anchor, eventName: 'CreateProfile', eventSource: 'transfer.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
