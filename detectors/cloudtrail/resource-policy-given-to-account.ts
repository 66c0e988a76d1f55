/** The policy of a resource lets another AWS account in. */
import { defineDetector, z } from '../../src/detector.ts';

const call = (eventSource: string, eventName: string, requestParameters: object) => ({
  eventSource: `${eventSource}.amazonaws.com`,
  eventName,
  requestParameters,
});
const policy = (Principal: unknown, change: object = {}) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal, Action: '*', Resource: '*', ...change }],
  });
/** Each call that takes a policy, with the parameter in which it stands. */
const everywhere = (document: string) => [
  call('kms', 'PutKeyPolicy', { keyId: 'shop', policyName: 'default', policy: document }),
  call('kms', 'CreateKey', { keyId: 'shop', policy: document }),
  call('sqs', 'SetQueueAttributes', { queueUrl: 'shop', attributes: { Policy: document } }),
  call('sqs', 'CreateQueue', { queueName: 'shop', attributes: { Policy: document } }),
  call('sns', 'SetTopicAttributes', { topicArn: 'shop', attributeName: 'Policy', attributeValue: document }),
  call('sns', 'CreateTopic', { name: 'shop', attributes: { Policy: document } }),
  call('secretsmanager', 'PutResourcePolicy', { secretId: 'shop', resourcePolicy: document }),
  call('ecr', 'SetRepositoryPolicy', { repositoryName: 'shop', policyText: document }),
  call('ecr', 'PutRegistryPolicy', { name: 'shop', policyText: document }),
  call('backup', 'PutBackupVaultAccessPolicy', { backupVaultName: 'shop', policy: document }),
  call('elasticfilesystem', 'PutFileSystemPolicy', { fileSystemId: 'shop', policy: document }),
  call('dynamodb', 'PutResourcePolicy', { resourceArn: 'shop', policy: document }),
  call('glue', 'PutResourcePolicy', { resourceArn: 'shop', policyInJson: document }),
  call('codeartifact', 'PutRepositoryPermissionsPolicy', { repository: 'shop', policyDocument: document }),
  call('codeartifact', 'PutDomainPermissionsPolicy', { domain: 'shop', policyDocument: document }),
  call('logs', 'PutResourcePolicy', { policyName: 'shop', policyDocument: document }),
  call('logs', 'PutDestinationPolicy', { destinationName: 'shop', accessPolicy: document }),
  call('es', 'UpdateDomainConfig', { domainName: 'shop', accessPolicies: document }),
  call('es', 'CreateDomain', { domainName: 'shop', accessPolicies: document }),
  call('es', 'UpdateElasticsearchDomainConfig', { domainName: 'shop', accessPolicies: document }),
  call('es', 'CreateElasticsearchDomain', { domainName: 'shop', accessPolicies: document }),
  call('events', 'PutPermission', { eventBusName: 'shop', policy: document }),
];
const STRANGER = { AWS: 'arn:aws:iam::444455556666:root' };
const GIVEN = policy(STRANGER);
const given = call('kms', 'PutKeyPolicy', { keyId: 'shop', policy: GIVEN });
const ALICE = { principal: 'arn:aws:iam::111122223333:user/Alice', resource: 'shop' };

export const detector = defineDetector({
  id: 'resource-policy-given-to-account',
  title: 'A queue, topic, key, secret, function, repository or other resource was opened to another account',
  description:
    'A statement of the new policy allows something to the root, a user or a role of an account that is neither the own one nor in known_accounts, or the call itself names such an account: a grant on a key, a permission on a function, a layer, a queue, a topic or an event bus, a share of a document of Systems Manager.',
  severity: 'medium',
  severityReason:
    'A quiet way out for data and a door for somebody outside; sister accounts and vendors are let in the same way.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1537', version: 16 },
    { technique: 'T1546', version: 16 },
  ],
  tags: ['exfiltration', 'persistence', 'data-protection'],
  when: {
    all: [
      {
        any: [
          { event_source: 'kms.amazonaws.com', event_name: ['PutKeyPolicy', 'CreateKey'] },
          // Services make grants for themselves in the name of whoever uses them.
          {
            all: [
              { event_source: 'kms.amazonaws.com', event_name: 'CreateGrant' },
              { not: { invoked_by: { exists: true } } },
            ],
          },
          { event_source: 'sqs.amazonaws.com', event_name: ['SetQueueAttributes', 'CreateQueue', 'AddPermission'] },
          { event_source: 'sns.amazonaws.com', event_name: ['SetTopicAttributes', 'CreateTopic', 'AddPermission'] },
          { event_source: 'secretsmanager.amazonaws.com', event_name: 'PutResourcePolicy' },
          { event_source: 'ecr.amazonaws.com', event_name: ['SetRepositoryPolicy', 'PutRegistryPolicy'] },
          { event_source: 'backup.amazonaws.com', event_name: 'PutBackupVaultAccessPolicy' },
          { event_source: 'elasticfilesystem.amazonaws.com', event_name: 'PutFileSystemPolicy' },
          { event_source: 'dynamodb.amazonaws.com', event_name: 'PutResourcePolicy' },
          { event_source: 'glue.amazonaws.com', event_name: 'PutResourcePolicy' },
          {
            event_source: 'codeartifact.amazonaws.com',
            event_name: ['PutRepositoryPermissionsPolicy', 'PutDomainPermissionsPolicy'],
          },
          { event_source: 'logs.amazonaws.com', event_name: ['PutResourcePolicy', 'PutDestinationPolicy'] },
          {
            event_source: 'es.amazonaws.com',
            event_name: [
              'UpdateDomainConfig',
              'CreateDomain',
              'UpdateElasticsearchDomainConfig',
              'CreateElasticsearchDomain',
            ],
          },
          { event_source: 'events.amazonaws.com', event_name: 'PutPermission' },
          { event_source: 'ssm.amazonaws.com', event_name: 'ModifyDocumentPermission' },
          { event_source: 'lambda.amazonaws.com', event_name: ['AddPermission', 'AddLayerVersionPermission'] },
        ],
      },
      { outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  sql: `-- One row per principal, resource and hour in which a policy was opened to another account.
WITH written AS (
  SELECT date_trunc('hour', event_time) AS slot, event_time, event_id, account_id, principal, principal_arn, aws_region, source_ip, source_address,
    event_source, event_name, request_parameters,
    coalesce(json_extract_scalar(request_parameters, '$.keyId'), json_extract_scalar(request_parameters, '$.queueUrl'), json_extract_scalar(request_parameters, '$.topicArn'), json_extract_scalar(request_parameters, '$.secretId'), json_extract_scalar(request_parameters, '$.repositoryName'),
      json_extract_scalar(request_parameters, '$.backupVaultName'), json_extract_scalar(request_parameters, '$.fileSystemId'), json_extract_scalar(request_parameters, '$.resourceArn'), json_extract_scalar(request_parameters, '$.repository'),
      json_extract_scalar(request_parameters, '$.domain'), json_extract_scalar(request_parameters, '$.destinationName'), json_extract_scalar(request_parameters, '$.domainName'), json_extract_scalar(request_parameters, '$.eventBusName'), json_extract_scalar(request_parameters, '$.functionName'),
      json_extract_scalar(request_parameters, '$.layerName'), json_extract_scalar(request_parameters, '$.queueName'), json_extract_scalar(request_parameters, '$.name'), json_extract_scalar(request_parameters, '$.policyName'), 'unknown') AS resource,
    coalesce(json_extract_scalar(request_parameters, '$.policy'), json_extract_scalar(request_parameters, '$.attributes.Policy'),
      json_extract_scalar(request_parameters, '$.resourcePolicy'), json_extract_scalar(request_parameters, '$.policyText'),
      json_extract_scalar(request_parameters, '$.policyInJson'), json_extract_scalar(request_parameters, '$.policyDocument'),
      json_extract_scalar(request_parameters, '$.accessPolicy'), json_extract_scalar(request_parameters, '$.accessPolicies'),
      CASE WHEN json_extract_scalar(request_parameters, '$.attributeName') = 'Policy' THEN json_extract_scalar(request_parameters, '$.attributeValue') END) AS policy,
    coalesce(
      CASE WHEN event_name = 'AddPermission' AND event_source <> 'lambda.amazonaws.com' THEN json_format(json_extract(request_parameters, '$')) END,
      json_format(json_extract(request_parameters, '$.accountIdsToAdd')), json_extract_scalar(request_parameters, '$.granteePrincipal'),
      json_extract_scalar(request_parameters, '$.principal')) AS grantee
  FROM cloudtrail
)
SELECT slot, account_id, principal, resource, min(event_source) AS service, min(principal_arn) AS principal_arn, min(aws_region) AS aws_region,
  min(source_ip) AS source_ip, min(source_address) AS source_address, min(event_time) AS first_seen, max(event_time) AS last_seen, count(*) AS count,
  array_agg(event_id ORDER BY event_time, event_id) AS event_ids
FROM written
WHERE cardinality(filter(regexp_extract_all(grantee, '[0-9]{12}'), account -> account <> account_id AND strpos(:known_accounts, account) = 0)) > 0
  OR cardinality(filter(
    coalesce(TRY_CAST(json_extract(policy, '$.Statement') AS ARRAY(JSON)), ARRAY[json_extract(policy, '$.Statement')]),
    statement -> json_extract_scalar(statement, '$.Effect') = 'Allow'
      AND cardinality(filter(regexp_extract_all(json_format(json_extract(statement, '$.Principal.AWS')), '[0-9]{12}'),
        account -> account <> account_id AND strpos(:known_accounts, account) = 0)) > 0
  )) > 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  slot: '1h',
  subject: ['account_id', 'principal', 'resource'],
  summary: '{principal} opened {resource} ({service}) to another account in {aws_region} from {source_address}',
  parameters: {
    known_accounts: z
      .string()
      .regex(/^([0-9]{12}(,[0-9]{12})*)?$/)
      .default('')
      .describe('account ids, separated by commas, that may be let in: those of your organization and of vendors'),
  },
  falsePositives: [
    'Sister accounts and vendors: add them.',
    'A key that is shared together with an image or a snapshot.',
  ],
  blindSpots: [
    'Everybody at once: resource-policy-public. Buckets: bucket-policy-given-to-account. Roles: role-trust-given-to-account.',
    'An account of the list that was broken into.',
    'Shares by Resource Access Manager (CreateResourceShare).',
  ],
  response: [
    'Find out whose the account is; put the old policy back, or retire the grant.',
    'Run the saved question cross-account-callers for that account since first_seen.',
  ],
  examples: [
    {
      name: 'each kind of resource is opened to a stranger',
      records: everywhere(GIVEN),
      alerts: [{ subject: ALICE, count: 22 }],
    },
    {
      name: 'the call itself names the account',
      records: [
        call('sqs', 'AddPermission', { queueUrl: 'shop', aWSAccountIds: ['444455556666'], label: 'a' }),
        call('sns', 'AddPermission', { topicArn: 'shop', aWSAccountId: ['444455556666'], label: 'a' }),
        call('events', 'PutPermission', { eventBusName: 'shop', principal: '444455556666' }),
        call('ssm', 'ModifyDocumentPermission', { name: 'shop', accountIdsToAdd: ['444455556666'] }),
        call('kms', 'CreateGrant', { keyId: 'shop', granteePrincipal: 'arn:aws:iam::444455556666:role/Backup' }),
        call('lambda', 'AddPermission20150331v2', {
          functionName: 'shop',
          principal: 'arn:aws:iam::444455556666:root',
        }),
        call('lambda', 'AddLayerVersionPermission20181031', { layerName: 'shop', principal: '444455556666' }),
      ],
      alerts: [{ subject: ALICE, count: 7 }],
    },
    {
      name: 'a stranger beside the house, and a single statement',
      records: [
        call('kms', 'PutKeyPolicy', { keyId: 'shop', policy: policy({ AWS: ['111122223333', '444455556666'] }) }),
        call('kms', 'PutKeyPolicy', {
          keyId: 'shop',
          policy: JSON.stringify({ Statement: { Effect: 'Allow', Principal: STRANGER, Action: '*' } }),
        }),
      ],
      alerts: [{ subject: ALICE, count: 2 }],
    },
    {
      name: 'the house, everybody, a service, a source in another account, or one that is denied',
      records: [
        ...everywhere(policy({ AWS: 'arn:aws:iam::111122223333:root' })),
        call('kms', 'PutKeyPolicy', { keyId: 'shop', policy: policy('*') }),
        call('kms', 'PutKeyPolicy', { keyId: 'shop', policy: policy({ Service: 'logs.amazonaws.com' }) }),
        call('kms', 'PutKeyPolicy', { keyId: 'shop', policy: policy(STRANGER, { Effect: 'Deny' }) }),
        call('kms', 'CreateGrant', { keyId: 'shop', granteePrincipal: 'arn:aws:iam::111122223333:role/Backup' }),
        call('sqs', 'AddPermission', { queueUrl: 'https://sqs.us-east-1.amazonaws.com/111122223333/shop' }),
        call('lambda', 'AddPermission20150331v2', {
          functionName: 'shop',
          principal: 's3.amazonaws.com',
          sourceAccount: '444455556666',
        }),
        call('sns', 'SetTopicAttributes', { topicArn: 'shop', attributeName: 'DisplayName', attributeValue: GIVEN }),
      ],
      alerts: [],
    },
    {
      name: 'a known account, in a policy or in a call',
      records: [given, call('lambda', 'AddPermission20150331v2', { functionName: 'shop', principal: '444455556666' })],
      alerts: [],
      parameters: { known_accounts: '222233334444,444455556666' },
    },
    {
      name: 'other calls and other services',
      records: [
        ...everywhere(GIVEN).map((record) => ({ ...record, eventSource: 'example.amazonaws.com' })),
        ...everywhere(GIVEN).map((record) => ({ ...record, eventName: 'GetPolicy' })),
        call('kms', 'RetireGrant', { keyId: 'shop', granteePrincipal: 'arn:aws:iam::444455556666:role/Backup' }),
        call('lambda', 'RemovePermission20150331v2', { functionName: 'shop', principal: '444455556666' }),
        call('example', 'AddPermission', { functionName: 'shop', principal: '444455556666' }),
        call('ssm', 'DescribeDocumentPermission', { name: 'shop', accountIdsToAdd: ['444455556666'] }),
        call('example', 'ModifyDocumentPermission', { name: 'shop', accountIdsToAdd: ['444455556666'] }),
      ],
      alerts: [],
    },
    {
      name: 'refused, by an AWS service, or a grant of another service',
      records: [
        call('example', 'CreateGrant', { keyId: 'shop', granteePrincipal: 'arn:aws:iam::444455556666:role/Service' }),
        {
          ...call('kms', 'CreateGrant', { keyId: 'shop', granteePrincipal: 'arn:aws:iam::444455556666:role/Service' }),
          userIdentity: {
            type: 'AssumedRole',
            principalId: 'AROAEXAMPLE:deploy',
            arn: 'arn:aws:sts::111122223333:assumed-role/Deployer/deploy',
            accountId: '111122223333',
            invokedBy: 'rds.amazonaws.com',
          },
        },
        { ...given, errorCode: 'AccessDeniedException' },
        { ...given, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
