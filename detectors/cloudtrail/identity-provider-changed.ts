/** A SAML or OIDC provider was added or its metadata replaced. */
import { defineDetector } from '../../src/detector.ts';

const creation = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateSAMLProvider',
  requestParameters: { name: 'IdP' },
  responseElements: { sAMLProviderArn: 'arn:aws:iam::111122223333:saml-provider/IdP' },
};

const CHANGES = [
  'CreateSAMLProvider',
  'UpdateSAMLProvider',
  'DeleteSAMLProvider',
  'CreateOpenIDConnectProvider',
  'AddClientIDToOpenIDConnectProvider',
  'UpdateOpenIDConnectProviderThumbprint',
  'DeleteOpenIDConnectProvider',
];

export const detector = defineDetector({
  id: 'identity-provider-changed',
  version: 2,
  title: 'An identity provider was added, changed or deleted',
  description:
    'Whoever controls an identity provider signs the papers with which people enter roles. Adding one, or new metadata for one, lets a stranger in as anybody whom the roles trust.',
  severity: 'medium',
  severityReason: 'Far-reaching and rare; usually a planned change.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1484.002', version: 16 }],
  tags: ['persistence'],
  when: {
    event_source: 'iam.amazonaws.com',
    event_name: CHANGES,
    outcome: 'success',
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} in account {account_id} from {source_address}',
  falsePositives: [
    'Certificates of a SAML provider are renewed about once a year.',
    'A new EKS cluster or CI system brings its OIDC provider.',
  ],
  blindSpots: ['Changes inside the provider itself.', 'IAM Identity Center.'],
  response: [
    'List roles whose trust names the provider, and AssumeRoleWithSAML or AssumeRoleWithWebIdentity since.',
    'Run the saved question role-assumptions.',
  ],
  examples: [
    {
      name: 'each kind of change',
      records: CHANGES.map((eventName) => ({ ...creation, eventName })),
      alerts: CHANGES.map(() => ({ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } })),
    },
    {
      name: 'refused, only read, or another service',
      records: [
        { ...creation, errorCode: 'AccessDenied' },
        { ...creation, eventName: 'GetSAMLProvider' },
        { ...creation, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
