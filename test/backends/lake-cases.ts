/** Events, and questions about them as they are written for CloudTrail Lake; AWS's own sample queries where a copy of them is at hand. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROLE = 'arn:aws:iam::111122223333:role/deploy';
export const LAKE_RECORDS = [
  {
    eventVersion: '1.10',
    eventID: '00000000-0000-4000-8000-000000000001',
    eventTime: '2023-01-02T03:04:05Z',
    eventSource: 'ec2.amazonaws.com',
    eventName: 'AuthorizeSecurityGroupIngress',
    awsRegion: 'eu-west-1',
    sourceIPAddress: '192.0.2.10',
    userAgent: 'console.amazonaws.com',
    recipientAccountId: '111122223333',
    readOnly: false,
    managementEvent: true,
    eventCategory: 'Management',
    sessionCredentialFromConsole: 'true',
    userIdentity: {
      type: 'AssumedRole',
      principalId: 'AROAEXAMPLE:alice@example.com',
      arn: 'arn:aws:sts::111122223333:assumed-role/deploy/alice@example.com',
      accountId: '111122223333',
      accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: 'AROAEXAMPLE',
          arn: ROLE,
          accountId: '111122223333',
          userName: 'deploy',
        },
        webIdFederationData: { federatedProvider: 'accounts.example.com', attributes: { aud: 'client', sub: '7' } },
        attributes: { creationDate: '2023-01-02T03:00:00Z', mfaAuthenticated: 'false' },
      },
    },
    requestParameters: {
      groupId: 'sg-1',
      ipPermissions: { items: [{ ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] } }] },
      dryRun: true,
      description: null,
    },
    responseElements: { _return: true },
    resources: [{ ARN: ROLE, accountId: '111122223333', type: 'AWS::IAM::Role' }],
    tlsDetails: {
      tlsVersion: 'TLSv1.1',
      cipherSuite: 'ECDHE-RSA-AES128-SHA',
      clientProvidedHostHeader: 'ec2.eu-west-1.amazonaws.com',
    },
  },
  {
    eventVersion: '1.08',
    eventID: '00000000-0000-4000-8000-000000000002',
    eventTime: '2023-01-03T00:00:00Z',
    eventSource: 'signin.amazonaws.com',
    eventName: 'ConsoleLogin',
    awsRegion: 'us-east-1',
    recipientAccountId: '111122223333',
    errorMessage: 'Failed authentication',
    userIdentity: { type: 'IAMUser', userName: 'bob', accountId: '111122223333', principalId: 'AIDAEXAMPLE' },
    additionalEventData: { MFAUsed: 'No', evaluations: [{ complianceType: 'COMPLIANT' }] },
    requestParameters: null,
  },
];

/** What is asked, the statement, and the rows that it gives. */
export const LAKE_CASES: readonly (readonly [string, string, readonly (readonly unknown[])[]])[] = [
  [
    'a struct, whatever the case of its names',
    "SELECT userIdentity.sessionContext.sessionIssuer.userName, useridentity.SESSIONCONTEXT.attributes.mfaAuthenticated FROM lake WHERE userIdentity.type = 'AssumedRole'",
    [['deploy', 'false']],
  ],
  [
    'a struct inside that the record has not',
    "SELECT userIdentity.sessioncontext, userIdentity.userName FROM lake WHERE eventName = 'ConsoleLogin'",
    [[null, 'bob']],
  ],
  [
    'a map inside a struct',
    "SELECT element_at(userIdentity.sessioncontext.webidfederationdata.attributes, 'sub') FROM lake WHERE readOnly = false",
    [['7']],
  ],
  [
    'members as text, nested ones as JSON, null as NULL',
    "SELECT element_at(requestParameters, 'groupId'), element_at(requestParameters, 'dryRun'), element_at(requestParameters, 'description'), json_extract_scalar(element_at(requestParameters, 'ipPermissions'), '$.items[0].ipRanges.items[0].cidrIp') FROM lake WHERE element_at(requestParameters, 'ipPermissions') LIKE '%0.0.0.0/0%'",
    [['sg-1', 'true', null, '0.0.0.0/0']],
  ],
  [
    'a member of an element',
    'SELECT element_at(resources, 1).arn, element_at(resources, 1).accountId, cardinality(resources) FROM lake WHERE resources IS NOT NULL',
    [[ROLE, '111122223333', 1]],
  ],
  [
    'a time beside a text',
    "SELECT eventID FROM lake WHERE eventTime > '2023-01-01 00:00:00' AND eventTime < '2023-01-03 00:00:00'",
    [['00000000-0000-4000-8000-000000000001']],
  ],
  [
    'an element of an array in JSON',
    "SELECT json_extract_scalar(json_array_get(element_at(additionalEventData, 'evaluations'), 0), '$.complianceType') FROM lake WHERE Element_at(additionaleventdata, 'MFAUsed') = 'No'",
    [['COMPLIANT']],
  ],
  ['a session of the console', 'SELECT count(*) FROM lake WHERE sessionCredentialFromConsole = true', [[1]]],
  [
    'the record as JSON',
    "SELECT json_extract_scalar(eventjson, '$.requestParameters.groupId'), json_extract_scalar(eventJson, '$.userIdentity.sessionContext.sessionIssuer.arn'), json_extract_scalar(eventjson, '$.eventTime') FROM lake WHERE eventName LIKE 'Authorize%'",
    [['sg-1', ROLE, '2023-01-02T03:04:05Z']],
  ],
  [
    'two arguments of replace()',
    "SELECT CAST(replace(tlsDetails.tlsVersion, 'TLSv') AS DOUBLE) FROM lake WHERE tlsDetails.tlsVersion LIKE 'TLSv%'",
    [[1.1]],
  ],
  ['parameters that are null', "SELECT requestParameters FROM lake WHERE eventName = 'ConsoleLogin'", [[null]]],
];

const SAMPLES = process.env['TRAILHOUND_LAKE_SAMPLES'] ?? '';
export const hasSamples = existsSync(SAMPLES);
if (!hasSamples)
  process.stderr.write(
    'SKIPPED: AWS’s Lake queries: TRAILHOUND_LAKE_SAMPLES names no copy of aws-samples/cloud-trail-lake-query-samples\n',
  );

/** Queries about other event data stores than CloudTrail's: AWS Config's, and Athena's DDL. */
const OTHER_STORES = [
  'ConfigItemCountQuery.sql',
  'ConfigTableCreation.sql',
  'ssm-patch-compliance-all-ec2-instances-time-range.sql',
  'ssm-patch-compliance-all-ec2-instances.sql',
  'ssm-patch-compliance-distinct-ec2-instance-latest.sql',
  'ssm-patch-compliance-selected-ec2-instance-time-range.sql',
  'ssm-patch-compliance-selected-ec2-instance.sql',
];
/** Files that hold no statement that any engine takes, by what is wrong with them. */
export const BROKEN: Readonly<Record<string, RegExp>> = {
  'iam-idc-authenticate-api.sql': /near "FROM"/,
  'list-all-errors-for-s3-events.sql': /near "example"/,
  'list-all-events-not-in-authorized-region.sql': /near ":"/,
  'list-attempted-s3-requests..sql': /near "BY"/,
  'list-publicly-accessible-rds-instances.sql': /near "SELECT"/,
  'network-activity-events-vpce-access-denied-s3.sql': /must appear in the GROUP BY clause/,
  'top-errors.sql': /near "BY"/,
  'top-s3-actions.sql': /near "BY"/,
};

/** Those that ask a CloudTrail event data store, and that some engine takes. */
export const sampleNames: readonly string[] = hasSamples
  ? readdirSync(SAMPLES).filter((name) => name.endsWith('.sql') && !OTHER_STORES.includes(name) && !(name in BROKEN))
  : [];

/** With `lake` for the id of the event data store. */
export const sampleSql = (name: string): string =>
  readFileSync(join(SAMPLES, name), 'utf8')
    .replaceAll(/<\s*(?:event[ _-]data[ _-]store[ _-]id|EDS[ _]ID)\s*>|\$EDS_ID/gi, 'lake')
    .replaceAll('${date_filter}', '2023-01-01 00:00:00')
    .replace(/;\s*$/, '');
