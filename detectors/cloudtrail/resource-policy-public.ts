/** The policy of a resource lets everybody in. */
import { defineDetector } from '../../src/detector.ts';

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
const OPEN = policy({ AWS: '*' });
const open = call('sqs', 'SetQueueAttributes', { queueUrl: 'shop', attributes: { Policy: OPEN } });
const key = (Principal: unknown, change?: object) =>
  call('kms', 'PutKeyPolicy', { keyId: 'shop', policy: policy(Principal, change) });
const document = (...accountIdsToAdd: string[]) =>
  call('ssm', 'ModifyDocumentPermission', { name: 'shop', permissionType: 'Share', accountIdsToAdd });
const ALICE = { principal: 'arn:aws:iam::111122223333:user/Alice', resource: 'shop' };

export const detector = defineDetector({
  id: 'resource-policy-public',
  title: 'A queue, topic, key, secret, repository or other resource was opened to everybody',
  description:
    'A statement of the new policy allows something to the principal * without a condition, or the call itself names everybody. It covers keys, queues, topics, secrets, image and package repositories, backup vaults, file systems, tables, the Glue catalogue, log destinations, search domains, event buses and documents of Systems Manager. Statements are judged one by one: many good policies deny something to everybody.',
  severity: 'high',
  severityReason:
    'Anybody with an AWS account can use the resource at once, and hardly any of these is meant for that.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1537', version: 16 },
    { technique: 'T1530', version: 16 },
  ],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      {
        any: [
          { event_source: 'kms.amazonaws.com', event_name: ['PutKeyPolicy', 'CreateKey'] },
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
        ],
      },
      { outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  sql: `-- One row per principal, resource and hour in which a policy was opened to everybody.
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
    CASE WHEN event_name = 'AddPermission' THEN json_format(json_extract(request_parameters, '$'))
      WHEN event_name = 'ModifyDocumentPermission' THEN json_format(json_extract(request_parameters, '$.accountIdsToAdd'))
      WHEN json_extract(request_parameters, '$.condition') IS NULL THEN json_format(json_extract(request_parameters, '$.principal')) END AS grantee
  FROM cloudtrail
)
SELECT slot, account_id, principal, resource, min(event_source) AS service, min(principal_arn) AS principal_arn, min(aws_region) AS aws_region,
  min(source_ip) AS source_ip, min(source_address) AS source_address, min(event_time) AS first_seen, max(event_time) AS last_seen, count(*) AS count,
  array_agg(event_id ORDER BY event_time, event_id) AS event_ids
FROM written
WHERE regexp_like(grantee, '"([*]|[aA]ll)"')
  OR cardinality(filter(
    coalesce(TRY_CAST(json_extract(policy, '$.Statement') AS ARRAY(JSON)), ARRAY[json_extract(policy, '$.Statement')]),
    statement -> json_extract_scalar(statement, '$.Effect') = 'Allow'
      AND json_extract(statement, '$.Condition') IS NULL
      AND regexp_like(json_format(json_extract(statement, '$.Principal')), '^"[*]"$|"AWS" *: *("[*]"|[[][^]]*"[*]")')
  )) > 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  slot: '1h',
  subject: ['account_id', 'principal', 'resource'],
  summary: '{principal} opened {resource} ({service}) to everybody in {aws_region} from {source_address}',
  falsePositives: [
    'A search domain in a VPC, whose network and not its policy keeps strangers out.',
    'A public image or topic.',
  ],
  blindSpots: [
    'A condition that holds nobody back, and NotPrincipal.',
    'Buckets: bucket-policy-public. Functions: lambda-function-made-public. Snapshots and images: snapshot-shared, image-shared.',
    'A single foreign account: resource-policy-given-to-account.',
  ],
  response: [
    'Put the old policy back: it is in the last event of the same name and resource before first_seen.',
    'Run the saved question cross-account-callers for strangers that used it since.',
  ],
  examples: [
    {
      name: 'each kind of resource is opened',
      records: everywhere(OPEN),
      alerts: [{ subject: ALICE, count: 22 }],
    },
    {
      name: 'everybody stands alone, in a list, or in one of two statements',
      records: [
        key('*'),
        key({ AWS: ['arn:aws:iam::111122223333:root', '*'] }),
        call('kms', 'PutKeyPolicy', {
          keyId: 'shop',
          policy: JSON.stringify({
            Statement: [
              { Effect: 'Deny', Principal: '*', Action: '*' },
              { Effect: 'Allow', Principal: '*', Action: 'kms:Decrypt' },
            ],
          }),
        }),
        call('kms', 'PutKeyPolicy', {
          keyId: 'shop',
          policy: JSON.stringify({ Statement: { Effect: 'Allow', Principal: '*', Action: 'kms:Decrypt' } }),
        }),
      ],
      alerts: [{ subject: ALICE, count: 4 }],
    },
    {
      name: 'the call itself names everybody',
      records: [
        call('sqs', 'AddPermission', { queueUrl: 'shop', aWSAccountIds: ['*'], label: 'a' }),
        call('sns', 'AddPermission', { topicArn: 'shop', aWSAccountId: ['*'], label: 'a' }),
        call('events', 'PutPermission', { eventBusName: 'shop', principal: '*', action: 'events:PutEvents' }),
        document('all'),
      ],
      alerts: [{ subject: ALICE, count: 4 }],
    },
    {
      name: 'a policy for the house, a service, an organization, or one that only denies',
      records: [
        ...everywhere(policy({ AWS: 'arn:aws:iam::111122223333:root' })),
        key({ Service: 'sns.amazonaws.com' }),
        key('*', { Condition: { StringEquals: { 'kms:CallerAccount': '111122223333' } } }),
        key('*', { Effect: 'Deny' }),
        call('kms', 'PutKeyPolicy', { keyId: 'shop', policy: 'no JSON *' }),
        call('sns', 'SetTopicAttributes', { topicArn: 'shop', attributeName: 'DisplayName', attributeValue: OPEN }),
        call('events', 'PutPermission', {
          eventBusName: 'shop',
          principal: '*',
          condition: { type: 'StringEquals', key: 'aws:PrincipalOrgID', value: 'o-example' },
        }),
        document('444455556666'),
      ],
      alerts: [],
    },
    {
      name: 'other calls and other services',
      records: [
        { ...open, eventName: 'ReceiveMessage' },
        ...everywhere(OPEN).map((record) => ({ ...record, eventSource: 'example.amazonaws.com' })),
        ...everywhere(OPEN).map((record) => ({ ...record, eventName: 'GetPolicy' })),
        { ...document('all'), eventSource: 'example.amazonaws.com' },
        { ...document('all'), eventName: 'DescribeDocumentPermission' },
        call('ssm', 'UpdateDocument', { name: 'shop', accountIdsToAdd: ['all'], principal: '*' }),
      ],
      alerts: [],
    },
    {
      name: 'refused, or by an AWS service',
      records: [
        { ...open, errorCode: 'AccessDenied' },
        { ...open, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
