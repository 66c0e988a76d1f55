/** What a row of AWS's log files is to Athena: the columns of each raw table, in Hive's types, and what reads them. */

/** A type of Hive. Names are in lower case, as Hive keeps them; the order of members is the one that the casts of the tables' definitions rely on. */
export type RawType =
  | 'string'
  | 'int'
  | 'bigint'
  | 'double'
  | 'boolean'
  | 'timestamp'
  | { readonly array: RawType }
  | { readonly map: RawType }
  | { readonly struct: Readonly<Record<string, RawType>> };

export interface RawTable {
  /** The logical table that its rows become. */
  readonly table: string;
  readonly columns: Readonly<Record<string, RawType>>;
  /** Raw columns of which a row that is a record has at least one; the readers give rows of NULLs for what they do not understand. */
  readonly recordHas: readonly string[];
  /** `ROW FORMAT … STORED AS …` of its DDL. */
  readonly storage: string;
}

const strings = (...names: readonly string[]): Record<string, RawType> =>
  Object.fromEntries(names.map((name) => [name, 'string']));
const struct = (...members: readonly (string | Readonly<Record<string, RawType>>)[]): RawType => ({
  struct: Object.assign({}, ...members.map((member) => (typeof member === 'string' ? strings(member) : member))),
});
const array = (item: RawType): RawType => ({ array: item });

/** Reads `Records` of CloudTrail's files, a row each: https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html. */
const CLOUDTRAIL_STORAGE = `ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'`;

const ADDENDUM = struct('reason', 'updatedfields', 'originalrequestid', 'originaleventid');

/** AWS's columns, and fields of newer records that its page does not have yet: the reader finds fields by their names. */
const cloudtrail: RawTable = {
  table: 'cloudtrail',
  columns: {
    ...strings('eventversion'),
    useridentity: struct(
      'type',
      'principalid',
      'arn',
      'accountid',
      'invokedby',
      'accesskeyid',
      'username',
      'identityprovider',
      'credentialid',
      {
        invokedbydelegate: struct('accountid'),
        onbehalfof: struct('userid', 'identitystorearn'),
        inscopeof: struct('sourcearn', 'sourceaccount', 'issuertype', 'credentialsissuedto'),
        sessioncontext: struct(
          {
            attributes: struct('mfaauthenticated', 'creationdate'),
            sessionissuer: struct('type', 'principalid', 'arn', 'accountid', 'username'),
          },
          'ec2roledelivery',
          'ec2issuedinvpc',
          'sourceidentity',
          'assumedroot',
          { webidfederationdata: struct('federatedprovider', { attributes: { map: 'string' } }) },
        ),
      },
    ),
    ...strings(
      'eventtime',
      'eventsource',
      'eventname',
      'awsregion',
      'sourceipaddress',
      'useragent',
      'errorcode',
      'errormessage',
      'requestparameters',
      'responseelements',
      'additionaleventdata',
      'requestid',
      'eventid',
      'readonly',
    ),
    resources: array(struct('arn', 'accountid', 'type')),
    ...strings(
      'eventtype',
      'apiversion',
      'recipientaccountid',
      'serviceeventdetails',
      'sharedeventid',
      'vpcendpointid',
      'vpcendpointaccountid',
      'eventcategory',
      'managementevent',
      'sessioncredentialfromconsole',
      'edgedevicedetails',
      'eventcontext',
    ),
    addendum: ADDENDUM,
    tlsdetails: struct('tlsversion', 'ciphersuite', 'clientprovidedhostheader', 'keyexchange'),
  },
  recordHas: ['eventname', 'eventsource', 'eventid'],
  storage: CLOUDTRAIL_STORAGE,
};

const ATTRIBUTED = array(struct('value', { average: 'double' }));

/** Insights events lie in files of the same form. Averages are texts, so that they come as they were written. */
const cloudtrailInsight: RawTable = {
  table: 'cloudtrail_insight',
  columns: {
    ...strings(
      'eventversion',
      'eventtime',
      'awsregion',
      'eventid',
      'eventtype',
      'recipientaccountid',
      'sharedeventid',
      'eventcategory',
    ),
    insightdetails: struct('state', 'eventsource', 'eventname', 'insighttype', 'errorcode', {
      insightcontext: struct({
        statistics: struct(
          { baseline: struct('average'), insight: struct('average') },
          'insightduration',
          'baselineduration',
        ),
        attributions: array(struct('attribute', { insight: ATTRIBUTED, baseline: ATTRIBUTED })),
      }),
    }),
    addendum: ADDENDUM,
  },
  recordHas: ['insightdetails'],
  storage: CLOUDTRAIL_STORAGE,
};

/** A field without spaces, one in quotes or `-`, and the names of what follows in the order of the line. */
const FIELD = '([^ ]*)';
const QUOTED = '("[^"]*"|-)';
/**
 * The line of https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html. Old lines end after the version id; what follows the last known field is left out.
 * A client can put quotes into the headers that it sends: such a line is read as far as this pattern goes, or not at all.
 */
const S3_ACCESS_LINE = [
  FIELD,
  FIELD,
  '\\\\[(.*?)\\\\]',
  ...Array.from({ length: 5 }, () => FIELD),
  QUOTED,
  '(-|[0-9]*)',
  ...Array.from({ length: 5 }, () => FIELD),
  QUOTED,
  QUOTED,
  FIELD,
].join(' ');
const S3_ACCESS_REST = `(?: ${Array.from({ length: 8 }, () => FIELD).join(' ')})?.*$`;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-s3-access-logs-to-identify-requests.html, but with texts throughout: the views cast. */
const s3Access: RawTable = {
  table: 's3_access',
  columns: strings(
    'bucketowner',
    'bucket_name',
    'requestdatetime',
    'remoteip',
    'requester',
    'requestid',
    'operation',
    'key',
    'request_uri',
    'httpstatus',
    'errorcode',
    'bytessent',
    'objectsize',
    'totaltime',
    'turnaroundtime',
    'referrer',
    'useragent',
    'versionid',
    'hostid',
    'sigv',
    'ciphersuite',
    'authtype',
    'endpoint',
    'tlsversion',
    'accesspointarn',
    'aclrequired',
  ),
  recordHas: ['bucketowner'],
  storage: `ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ('input.regex' = '${S3_ACCESS_LINE}${S3_ACCESS_REST}')
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'`,
};

const MATCH_DETAILS = array(struct('conditiontype', 'sensitivitylevel', 'location', { matcheddata: array('string') }));
/** AWS's page has texts here, but the log has numbers, and so they stay in the views. */
const TOKEN = struct({ responsecode: 'int', solvetimestamp: 'bigint' });
const TOKEN_RESPONSE = struct({ responsecode: 'int', solvetimestamp: 'bigint' }, 'failurereason');
const MATCHING_RULES = array(
  struct('ruleid', 'action', 'overriddenaction', {
    rulematchdetails: MATCH_DETAILS,
    challengeresponse: TOKEN,
    captcharesponse: TOKEN,
  }),
);
const NAMES_AND_VALUES = array(struct('name', 'value'));

/** https://docs.aws.amazon.com/athena/latest/ug/create-waf-table-partition-projection.html, and newer fields of the log. */
const waf: RawTable = {
  table: 'waf',
  columns: {
    timestamp: 'bigint',
    formatversion: 'int',
    ...strings('webaclid', 'terminatingruleid', 'terminatingruletype', 'action'),
    terminatingrulematchdetails: MATCH_DETAILS,
    ...strings('httpsourcename', 'httpsourceid', 'cfdistributiontenantid'),
    rulegrouplist: array(
      struct(
        'rulegroupid',
        {
          terminatingrule: struct('ruleid', 'action', { rulematchdetails: MATCH_DETAILS }),
          nonterminatingmatchingrules: MATCHING_RULES,
        },
        'excludedrules',
      ),
    ),
    ratebasedrulelist: array(struct('ratebasedruleid', 'limitkey', { maxrateallowed: 'int' })),
    nonterminatingmatchingrules: MATCHING_RULES,
    requestheadersinserted: NAMES_AND_VALUES,
    responsecodesent: 'string',
    httprequest: struct(
      'clientip',
      'country',
      { headers: NAMES_AND_VALUES },
      'uri',
      'args',
      'httpversion',
      'httpmethod',
      'requestid',
      'fragment',
      'scheme',
      'host',
    ),
    labels: array(struct('name')),
    captcharesponse: TOKEN_RESPONSE,
    challengeresponse: TOKEN_RESPONSE,
    ...strings('ja3fingerprint', 'ja4fingerprint', 'clientasn', 'forwardedasn', 'oversizefields'),
    requestbodysize: 'bigint',
    requestbodysizeinspectedbywaf: 'bigint',
  },
  recordHas: ['webaclid'],
  storage: `ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'`,
};

const RAW_TABLES: readonly RawTable[] = [cloudtrail, s3Access, waf, cloudtrailInsight];

/** Throws for a table that has no raw one: each table of trailhound has. */
export function rawTableOf(table: string): RawTable {
  const raw = RAW_TABLES.find((one) => one.table === table);
  if (raw === undefined) throw new Error(`no raw table is known for ${table}`);
  return raw;
}

/** The type as Hive's DDL spells it. */
export function hiveType(type: RawType): string {
  if (typeof type === 'string') return type;
  if ('array' in type) return `array<${hiveType(type.array)}>`;
  if ('map' in type) return `map<string,${hiveType(type.map)}>`;
  return `struct<${Object.entries(type.struct)
    .map(([name, member]) => `${name}:${hiveType(member)}`)
    .join(',')}>`;
}
