/** The table `cloudtrail`: one row per record that CloudTrail delivered, each field of AWS's record reference as a column. */
import type { Column, Table } from '../table.ts';
import { addressIn, roleOfSession } from './derivations.ts';
import { derived, derivedOf, EXTRA, fieldsOf, ORIGIN, structAsJson } from './table-columns.ts';

const RECORD_PAGE =
  'https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html';
const IDENTITY_PAGE =
  'https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html';

const { field, json, boolean, timestamp } = fieldsOf((raw) =>
  raw.startsWith('userIdentity') ? IDENTITY_PAGE : RECORD_PAGE,
);

const event: readonly Column[] = [
  field(
    'event_id',
    'eventID',
    'The id that CloudTrail gave the event, usually a UUID; repeated deliveries of one event share it.',
    { since: '1.01' },
  ),
  timestamp(
    'event_time',
    'eventTime',
    'When the request was completed, UTC; NULL when it is missing, unreadable, before 2013 or over a day after ingest (the original text is then in `extra`).',
    { since: '1.0' },
  ),
  field('event_version', 'eventVersion', 'Version of the record format, `major.minor`.', { since: '1.0' }),
  field('event_source', 'eventSource', 'The service that the request was made to, for example `iam.amazonaws.com`.', {
    since: '1.0',
  }),
  field('event_name_raw', 'eventName', 'The action as CloudTrail wrote it, for example `ListFunctions20150331`.', {
    since: '1.0',
  }),
  field('aws_region', 'awsRegion', 'The Region that the request was made to; global services write `us-east-1`.', {
    since: '1.0',
  }),
  field(
    'event_type',
    'eventType',
    'AwsApiCall, AwsServiceEvent, AwsConsoleAction, AwsConsoleSignIn, AwsVpceEvent and so on.',
    { since: '1.02' },
  ),
  field('event_category', 'eventCategory', 'Management, Data or NetworkActivity.', {
    since: '1.07',
    values: ['Management', 'Data', 'NetworkActivity'],
  }),
  boolean('management_event', 'managementEvent', 'Whether it is a management event.', { since: '1.06' }),
  boolean('read_only', 'readOnly', 'Whether the operation only reads.', { since: '1.01' }),
  field('api_version', 'apiVersion', 'API version of an AwsApiCall event.', { since: '1.01' }),
  field('request_id', 'requestID', 'The id that the called service gave the request.', { since: '1.01' }),
  field(
    'shared_event_id',
    'sharedEventID',
    'Shared by the copies of one event that CloudTrail delivers to several accounts.',
    { since: '1.03' },
  ),
  field(
    'account_id',
    'recipientAccountId',
    'The account that received the event; for cross-account access not that of the caller.',
    { since: '1.02' },
  ),
];

const caller: readonly Column[] = [
  field(
    'user_type',
    'userIdentity.type',
    'Type of the identity: Root, IAMUser, AssumedRole, Role, FederatedUser, AWSAccount, AWSService and so on.',
    {
      since: '1.0',
      values: [
        'Root',
        'IAMUser',
        'AssumedRole',
        'Role',
        'FederatedUser',
        'Directory',
        'AWSAccount',
        'AWSService',
        'IdentityCenterUser',
        'SAMLUser',
        'WebIdentityUser',
        'Unknown',
      ],
    },
  ),
  field('user_arn', 'userIdentity.arn', 'ARN of the caller; for a role it is that of the session.', { since: '1.0' }),
  field('principal_id', 'userIdentity.principalId', 'Unique id of the caller; for a role `<role id>:<session name>`.', {
    since: '1.0',
  }),
  field('user_account_id', 'userIdentity.accountId', "The caller's account.", { since: '1.0' }),
  field(
    'user_name',
    'userIdentity.userName',
    'Friendly name of the caller; HIDDEN_DUE_TO_SECURITY_REASONS when a sign-in named no known user.',
    { since: '1.0' },
  ),
  field(
    'access_key_id',
    'userIdentity.accessKeyId',
    'Access key that signed the request: AKIA… long-term, ASIA… temporary; may be empty.',
    { since: '1.0' },
  ),
  field(
    'invoked_by',
    'userIdentity.invokedBy',
    'The AWS service that made the request, on its own account or for the caller.',
    { since: '1.0' },
  ),
  field(
    'invoked_by_delegate_account_id',
    'userIdentity.invokedByDelegate.accountId',
    'The account of the product provider that acted with delegated temporary access.',
  ),
  field(
    'identity_provider',
    'userIdentity.identityProvider',
    'The external provider of a SAMLUser or WebIdentityUser.',
  ),
  field(
    'credential_id',
    'userIdentity.credentialId',
    'Id of the bearer token that an IAM Identity Center user presented.',
  ),
  field(
    'on_behalf_of_user_id',
    'userIdentity.onBehalfOf.userId',
    'The IAM Identity Center user for whom the call was made.',
  ),
  field('identity_store_arn', 'userIdentity.onBehalfOf.identityStoreArn', 'The identity store that holds this user.'),
  json(
    'in_scope_of',
    'userIdentity.inScopeOf',
    'The resource to which the credentials were issued: sourceArn, sourceAccount, issuerType, credentialsIssuedTo.',
    {
      athena: structAsJson(
        'useridentity.inscopeof',
        '"sourceArn" varchar, "sourceAccount" varchar, "issuerType" varchar, "credentialsIssuedTo" varchar',
      ),
    },
  ),
];

const session: readonly Column[] = [
  field(
    'session_issuer_type',
    'userIdentity.sessionContext.sessionIssuer.type',
    'What issued the temporary credentials: Root, IAMUser or Role.',
    { since: '1.0' },
  ),
  field(
    'session_issuer_arn',
    'userIdentity.sessionContext.sessionIssuer.arn',
    'ARN of the role or user that issued the temporary credentials.',
    { since: '1.0' },
  ),
  field(
    'session_issuer_principal_id',
    'userIdentity.sessionContext.sessionIssuer.principalId',
    'Unique id of the issuer.',
    { since: '1.0' },
  ),
  field('session_issuer_account_id', 'userIdentity.sessionContext.sessionIssuer.accountId', 'Account of the issuer.', {
    since: '1.0',
  }),
  field(
    'session_issuer_user_name',
    'userIdentity.sessionContext.sessionIssuer.userName',
    'Friendly name of the issuer.',
    { since: '1.0' },
  ),
  timestamp(
    'session_created',
    'userIdentity.sessionContext.attributes.creationDate',
    'When the temporary credentials were issued, UTC.',
    { since: '1.0' },
  ),
  boolean(
    'mfa',
    'userIdentity.sessionContext.attributes.mfaAuthenticated',
    'Whether the session was authenticated with a second factor.',
    { since: '1.0' },
  ),
  field(
    'source_identity',
    'userIdentity.sessionContext.sourceIdentity',
    'The original identity that was set when the role was assumed.',
  ),
  boolean(
    'session_from_console',
    'sessionCredentialFromConsole',
    'Whether the credentials came from a session of the AWS console; absent otherwise.',
    { since: '1.08' },
  ),
  field(
    'ec2_role_delivery',
    'userIdentity.sessionContext.ec2RoleDelivery',
    'Version of the instance metadata service that handed out the credentials: 1.0 or 2.0.',
  ),
  field(
    'ec2_issued_in_vpc',
    'userIdentity.sessionContext.ec2IssuedInVpc',
    'The VPC of the instance that the credentials were issued to.',
  ),
  boolean(
    'assumed_root',
    'userIdentity.sessionContext.assumedRoot',
    'Whether the session came from AssumeRoot: root rights over a member account.',
  ),
  json(
    'web_id_federation',
    'userIdentity.sessionContext.webIdFederationData',
    'The web identity provider and its attributes.',
    {
      since: '1.0',
      athena: structAsJson(
        'useridentity.sessioncontext.webidfederationdata',
        '"federatedProvider" varchar, "attributes" map(varchar, varchar)',
      ),
    },
  ),
];

const network: readonly Column[] = [
  field(
    'source_address',
    'sourceIPAddress',
    'Where the request came from, as recorded: an address, a service name or `AWS Internal`.',
    { since: '1.0' },
  ),
  field('user_agent', 'userAgent', 'The agent that made the request, as it named itself.', { since: '1.0' }),
  field('vpc_endpoint_id', 'vpcEndpointId', 'The VPC endpoint that the request passed through.', { since: '1.04' }),
  field('vpc_endpoint_account_id', 'vpcEndpointAccountId', 'The account that owns this VPC endpoint.', {
    since: '1.09',
  }),
  field('tls_version', 'tlsDetails.tlsVersion', 'TLS version of the request.', { since: '1.08' }),
  field('tls_cipher_suite', 'tlsDetails.cipherSuite', 'Cipher suite of the request.', { since: '1.08' }),
  field(
    'tls_host',
    'tlsDetails.clientProvidedHostHeader',
    'Host name that the client asked for, usually that of the service endpoint.',
    { since: '1.08' },
  ),
  field(
    'tls_key_exchange',
    'tlsDetails.keyExchange',
    'Key exchange of the request, for example the post-quantum X25519MLKEM768.',
  ),
];

const result: readonly Column[] = [
  field('error_code', 'errorCode', 'Error of the service when the request failed.', { since: '1.0' }),
  field('error_message', 'errorMessage', 'Description of the error; a failed ConsoleLogin has it without a code.', {
    since: '1.0',
  }),
  field('console_login', 'responseElements.ConsoleLogin', 'Verdict of a ConsoleLogin event: Success or Failure.', {
    since: '1.0',
    values: ['Success', 'Failure'],
    athena: "json_extract_scalar(responseelements, '$.ConsoleLogin')",
  }),
];

const jsonText: readonly Column[] = [
  json('request_parameters', 'requestParameters', 'Parameters sent with the request.', { since: '1.0' }),
  json(
    'response_elements',
    'responseElements',
    'Response of an action that makes changes; NULL for read-only actions.',
    { since: '1.0' },
  ),
  json('additional_event_data', 'additionalEventData', 'Data beside request and response.', { since: '1.0' }),
  json('resources', 'resources', 'Resources accessed: ARN, accountId and type of each.', {
    since: '1.01',
    athena:
      'json_format(CAST(transform(resources, x -> CAST(ROW(x.arn, x.accountid, x.type) AS ROW("ARN" varchar, "accountId" varchar, "type" varchar))) AS JSON))',
  }),
  json('service_event_details', 'serviceEventDetails', 'What triggered a service event, and its result.', {
    since: '1.05',
  }),
  json('addendum', 'addendum', 'Why an event was delivered late or again, and which fields changed.', {
    since: '1.08',
    athena: structAsJson(
      'addendum',
      '"reason" varchar, "updatedFields" varchar, "originalRequestID" varchar, "originalEventID" varchar',
    ),
  }),
  json('edge_device_details', 'edgeDeviceDetails', 'Edge devices that the request was meant for.', { since: '1.08' }),
  json('event_context', 'eventContext', 'Resource tags and IAM condition keys of an enriched event.', {
    since: '1.11',
  }),
  json('tls_details', 'tlsDetails', 'TLS details of the request, all keys.', {
    since: '1.08',
    athena: structAsJson(
      'tlsdetails',
      '"tlsVersion" varchar, "cipherSuite" varchar, "clientProvidedHostHeader" varchar, "keyExchange" varchar',
    ),
  }),
  json('user_identity', 'userIdentity', 'The whole identity of the caller, all keys.', { since: '1.0', athena: null }),
  EXTRA,
];

const DENIED = 'access_?denied|unauthori[sz]ed|not_?authori[sz]ed|authorization_?error|forbidden';

const derivations: readonly Column[] = [
  derived(
    'event_name',
    'VARCHAR',
    'The action with a leading capital and without the API date that Lambda and CloudFront append: compare this one.',
    // Nearly all names are as they should be, which two cheap comparisons see.
    "CASE WHEN event_name_raw < 'a' AND strpos(event_name_raw, '20') = 0 THEN event_name_raw ELSE" +
      " regexp_replace(concat(upper(substr(event_name_raw, 1, 1)), substr(event_name_raw, 2)), '_?20[0-9]{2}_?[0-9]{2}_?[0-9]{2}(v[0-9]+)?$', '') END",
  ),
  derivedOf(
    ['success', 'denied', 'failed'],
    'outcome',
    'VARCHAR',
    '`success`, `denied` (refused for lack of permission) or `failed`.',
    "CASE WHEN event_name = 'ConsoleLogin'" +
      " THEN CASE console_login WHEN 'Success' THEN 'success' ELSE 'failed' END" +
      " WHEN coalesce(error_code, '') = '' AND coalesce(error_message, '') = '' THEN 'success'" +
      ` WHEN regexp_like(lower(error_code), '${DENIED}') THEN 'denied' ELSE 'failed' END`,
  ),
  derived(
    'principal_arn',
    'VARCHAR',
    'ARN of the user or role that called: for a session its issuer. Rebuilt without its path where AWS leaves it out: a session without issuer, a failed sign-in of an IAM user.',
    "CASE WHEN user_type IN ('AssumedRole', 'FederatedUser') AND session_issuer_arn <> '' THEN session_issuer_arn" +
      ` WHEN strpos(user_arn, ':assumed-role/') > 0 THEN ${roleOfSession('user_arn')}` +
      " WHEN user_arn <> '' THEN user_arn" +
      " WHEN user_type = 'IAMUser' AND user_account_id <> '' AND user_name <> '' AND user_name <> 'HIDDEN_DUE_TO_SECURITY_REASONS'" +
      " THEN concat(CASE WHEN aws_region LIKE 'cn-%' THEN 'arn:aws-cn:iam::' WHEN aws_region LIKE 'us-gov-%' THEN 'arn:aws-us-gov:iam::' ELSE 'arn:aws:iam::' END," +
      " user_account_id, ':user/', user_name) END",
  ),
  derived(
    'principal',
    'VARCHAR',
    'Who called, never NULL: the ARN, else the service, the Identity Center user, the unique id, the account, or `unknown`.',
    "coalesce(principal_arn, CASE WHEN user_type = 'AWSService' THEN nullif(invoked_by, '') END, nullif(on_behalf_of_user_id, '')," +
      " nullif(CASE WHEN strpos(principal_id, ':') > 0 AND user_type NOT IN ('SAMLUser', 'WebIdentityUser')" +
      " THEN substr(principal_id, 1, strpos(principal_id, ':') - 1) ELSE principal_id END, '')," +
      " nullif(invoked_by, ''), nullif(user_account_id, ''), 'unknown')",
  ),
  derived(
    'session_name',
    'VARCHAR',
    'Name of the role session, chosen by whoever assumed the role; NULL for others.',
    "CASE WHEN user_type = 'AssumedRole' AND strpos(principal_id, ':') > 0 THEN substr(principal_id, strpos(principal_id, ':') + 1) END",
  ),
  derivedOf(
    ['root', 'service', 'user', 'role', 'account', 'federated', 'unknown'],
    'actor_type',
    'VARCHAR',
    '`root`, `service`, `user`, `role`, `account`, `federated` or `unknown`.',
    "CASE WHEN user_type = 'Root' THEN 'root'" +
      " WHEN user_type = 'AWSService' OR strpos(session_issuer_arn, ':role/aws-service-role/') > 0 THEN 'service'" +
      " WHEN user_type = 'IAMUser' THEN 'user' WHEN user_type IN ('AssumedRole', 'Role') THEN 'role' WHEN user_type = 'AWSAccount' THEN 'account'" +
      " WHEN user_type IN ('FederatedUser', 'SAMLUser', 'WebIdentityUser', 'IdentityCenterUser') THEN 'federated' ELSE 'unknown' END",
  ),
  derived(
    'source_ip',
    'VARCHAR',
    'The source address where it is an IP address; NULL for service names and `AWS Internal`.',
    addressIn('source_address'),
  ),
  derived(
    'resource_arns',
    'VARCHAR[]',
    'ARNs of the resources accessed; NULL when the record lists none.',
    // Trino reads no `[*]` path and DuckDB has no transform(): the one derivation with two texts.
    "CASE WHEN starts_with(resources, '[') THEN filter(CASE WHEN strpos(resources, '\"arn\"') > 0" +
      " THEN list_concat(json_extract_scalar(resources, '$[*].ARN'), json_extract_scalar(resources, '$[*].arn'))" +
      " ELSE json_extract_scalar(resources, '$[*].ARN') END, x -> x IS NOT NULL) END",
    'filter(transform(resources, x -> x.arn), x -> x IS NOT NULL)',
  ),
];

export const cloudtrailTable: Table = {
  name: 'cloudtrail',
  doc: 'Management, data and network activity events that CloudTrail delivered, one row per record.',
  schemaVersion: 2,
  columns: [...ORIGIN, ...event, ...caller, ...session, ...network, ...result, ...jsonText, ...derivations],
  identity: { id: ['event_id'], facts: ['event_time', 'event_source', 'event_name_raw', 'account_id'] },
  roles: {
    eventId: 'event_id',
    eventName: 'event_name',
    eventSource: 'event_source',
    accountId: 'account_id',
    region: 'aws_region',
    sourceIp: 'source_ip',
    principalArn: 'principal_arn',
    origin: 'account_id',
  },
  profile: ['event_source', 'event_name', 'outcome', 'user_type', 'actor_type'],
};
