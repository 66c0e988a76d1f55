/**
 * The view `lake`: the events of the table `cloudtrail` under the names and types of CloudTrail Lake, so that queries written for an event data store run as they are
 * but for what follows FROM. Names and types: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-supported-event-schemas.html.
 */
export const LAKE_VIEW = 'lake';

/** The table whose events it shows. */
export const LAKE_TABLE = 'cloudtrail';

/** The time of an event, which Lake's own queries compare with texts. */
export const LAKE_TIME = 'eventtime';
/** A text by its type, which they compare with `true`. */
export const LAKE_TEXT_OF_BOOLEAN = 'sessioncredentialfromconsole';

export interface LakeColumn {
  readonly name: string;
  /** As AWS writes it. */
  readonly type: string;
  readonly doc: string;
  /** Over the columns of `cloudtrail`, in the words of each engine. */
  readonly duckdb: string;
  readonly athena: string;
}

type Engine = 'duckdb' | 'athena';
/** The same in the words of both. */
type Sql = Readonly<Record<Engine, string>>;

const both = (sql: string): Sql => ({ duckdb: sql, athena: sql });

/** A column that is one of ours by another name. */
const same = (name: string, ours: string, doc: string, type = 'string'): LakeColumn => ({
  name,
  type,
  doc,
  ...both(ours),
});

/** Members of an object, each as text; nested ones as JSON. */
const map = (name: string, ours: string, doc: string): LakeColumn => ({
  name,
  type: 'map<string,string>',
  doc,
  ...mapSql(both(ours)),
});

const mapSql = ({ duckdb, athena }: Sql): Sql => ({
  duckdb: `TRY_CAST(TRY_CAST(${duckdb} AS JSON) AS MAP(VARCHAR, VARCHAR))`,
  athena: `transform_values(TRY_CAST(TRY(json_parse(${athena})) AS MAP(VARCHAR, JSON)), (k, v) -> coalesce(json_extract_scalar(v, '$'), nullif(json_format(v), 'null')))`,
});

/** What Lake does not have from a delivered record. */
const absent = (name: string, doc: string, type: 'VARCHAR' | 'MAP(VARCHAR, VARCHAR)' = 'VARCHAR'): LakeColumn => ({
  name,
  type: type === 'VARCHAR' ? 'string' : 'map<string,string>',
  doc: `${doc} Always NULL: delivered records do not have it.`,
  ...both(`CAST(NULL AS ${type})`),
});

/** Member of a struct: its name as records have it, its type, and its value, which may be a struct itself. */
type Member = readonly [name: string, type: string, value: string | Sql | Struct];
interface Struct {
  readonly members: readonly Member[];
  /** NULL where this is. */
  readonly unless: string;
}

const struct = (unless: string, ...members: readonly Member[]): Struct => ({ unless, members });

const isStruct = (value: Member[2]): value is Struct => typeof value === 'object' && 'members' in value;
const sqlOf = (value: string | Sql, engine: Engine): string => (typeof value === 'string' ? value : value[engine]);

const typeOf = ([name, type, value]: Member): string =>
  `${name.toLowerCase()}:${isStruct(value) ? structType(value) : type}`;

function structType({ members }: Struct): string {
  return `struct<${members.map(typeOf).join(',')}>`;
}

function structInDuckdb({ unless, members }: Struct): string {
  const values = members.map(
    ([name, , value]) => `${name.toLowerCase()} := ${isStruct(value) ? structInDuckdb(value) : sqlOf(value, 'duckdb')}`,
  );
  return `CASE WHEN ${unless} IS NOT NULL THEN struct_pack(${values.join(', ')}) END`;
}

const TRINO_TYPES: Readonly<Record<string, string>> = {
  string: 'varchar',
  timestamp: 'timestamp(3)',
  'map<string,string>': 'map(varchar, varchar)',
};

function rowType({ members }: Struct): string {
  const fields = members.map(
    ([name, type, value]) => `${name.toLowerCase()} ${isStruct(value) ? rowType(value) : TRINO_TYPES[type]}`,
  );
  return `row(${fields.join(', ')})`;
}

function rowValues({ unless, members }: Struct): string {
  const values = members.map(([, , value]) => (isStruct(value) ? rowValues(value) : sqlOf(value, 'athena')));
  return `CASE WHEN ${unless} IS NOT NULL THEN row(${values.join(', ')}) END`;
}

const structSql = (value: Struct): Sql => ({
  duckdb: structInDuckdb(value),
  athena: `CAST(${rowValues(value)} AS ${rowType(value)})`,
});

/** In Trino's words, an object of JSON without the members that are NULL. */
const objectSql = (members: readonly (readonly [name: string, json: string])[]): string =>
  `CAST(map_filter(map(ARRAY[${members.map(([name]) => `'${name}'`).join(', ')}], ARRAY[${members.map(([, json]) => json).join(', ')}]), (k, v) -> v IS NOT NULL) AS JSON)`;

/** CloudTrail writes times so. */
const TIME_FORMAT = "'%Y-%m-%dT%H:%i:%sZ'";

/** A struct as a record has it, in Trino's words. */
function structJson({ unless, members }: Struct): string {
  const values = members.map(([name, type, value]) => {
    if (isStruct(value)) return [name, structJson(value)] as const;
    const sql = sqlOf(value, 'athena');
    return [name, `CAST(${type === 'timestamp' ? `date_format(${sql}, ${TIME_FORMAT})` : sql} AS JSON)`] as const;
  });
  return `CASE WHEN ${unless} IS NOT NULL THEN ${objectSql(values)} END`;
}

const text = (column: string): string => `CAST(${column} AS VARCHAR)`;
const member = (json: string, path: string): Sql => ({
  duckdb: `json_extract_string(${json}, '$.${path}')`,
  athena: `json_extract_scalar(${json}, '$.${path}')`,
});

const IDENTITY = struct(
  'coalesce(user_type, principal_id, user_arn, user_account_id, invoked_by)',
  ['type', 'string', 'user_type'],
  ['principalId', 'string', 'principal_id'],
  ['arn', 'string', 'user_arn'],
  ['accountId', 'string', 'user_account_id'],
  ['accessKeyId', 'string', 'access_key_id'],
  ['userName', 'string', 'user_name'],
  [
    'sessionContext',
    '',
    struct(
      `coalesce(${text('session_created')}, ${text('mfa')}, session_issuer_type, session_issuer_arn, web_id_federation, source_identity, ec2_role_delivery, ec2_issued_in_vpc)`,
      [
        'attributes',
        '',
        struct(
          `coalesce(${text('session_created')}, ${text('mfa')})`,
          ['creationDate', 'timestamp', 'session_created'],
          ['mfaAuthenticated', 'string', text('mfa')],
        ),
      ],
      [
        'sessionIssuer',
        '',
        struct(
          'coalesce(session_issuer_type, session_issuer_principal_id, session_issuer_arn, session_issuer_account_id, session_issuer_user_name)',
          ['type', 'string', 'session_issuer_type'],
          ['principalId', 'string', 'session_issuer_principal_id'],
          ['arn', 'string', 'session_issuer_arn'],
          ['accountId', 'string', 'session_issuer_account_id'],
          ['userName', 'string', 'session_issuer_user_name'],
        ),
      ],
      [
        'webIdFederationData',
        '',
        struct(
          'web_id_federation',
          ['federatedProvider', 'string', member('web_id_federation', 'federatedProvider')],
          [
            'attributes',
            'map<string,string>',
            mapSql({
              duckdb: "json_extract(web_id_federation, '$.attributes')",
              athena: "json_format(json_extract(web_id_federation, '$.attributes'))",
            }),
          ],
        ),
      ],
      ['sourceIdentity', 'string', 'source_identity'],
      ['ec2RoleDelivery', 'string', 'ec2_role_delivery'],
      ['ec2IssuedInVpc', 'string', 'ec2_issued_in_vpc'],
    ),
  ],
  [
    'onBehalfOf',
    '',
    struct(
      'coalesce(on_behalf_of_user_id, identity_store_arn)',
      ['userId', 'string', 'on_behalf_of_user_id'],
      ['identityStoreArn', 'string', 'identity_store_arn'],
    ),
  ],
  [
    'inScopeOf',
    '',
    struct(
      'in_scope_of',
      ['sourceArn', 'string', member('in_scope_of', 'sourceArn')],
      ['sourceAccount', 'string', member('in_scope_of', 'sourceAccount')],
      ['issuerType', 'string', member('in_scope_of', 'issuerType')],
      ['credentialsIssuedTo', 'string', member('in_scope_of', 'credentialsIssuedTo')],
    ),
  ],
  ['invokedBy', 'string', 'invoked_by'],
  ['identityProvider', 'string', 'identity_provider'],
);

const TLS = struct(
  'coalesce(tls_version, tls_cipher_suite, tls_host)',
  ['tlsVersion', 'string', 'tls_version'],
  ['cipherSuite', 'string', 'tls_cipher_suite'],
  ['clientProvidedHostHeader', 'string', 'tls_host'],
);

const structColumn = (name: string, value: Struct, doc: string): LakeColumn => ({
  name,
  type: structType(value),
  doc,
  ...structSql(value),
});

const RESOURCE_MEMBERS = [
  ['accountid', '$.accountId', '$.accountid'],
  ['type', '$.type', '$.Type'],
  ['arn', '$.ARN', '$.arn'],
  ['arnprefix', '$.ARNPrefix', '$.arnprefix'],
] as const;

const RESOURCES: LakeColumn = {
  name: 'resources',
  type: 'array<struct<accountid:string,type:string,arn:string,arnprefix:string>>',
  doc: 'Resources that the event touched.',
  duckdb: `list_transform(TRY_CAST(TRY_CAST(resources AS JSON) AS JSON[]), r -> struct_pack(${RESOURCE_MEMBERS.map(
    ([name, path, other]) =>
      `${name} := coalesce(json_extract_string(r, '${path}'), json_extract_string(r, '${other}'))`,
  ).join(', ')}))`,
  athena: `transform(TRY_CAST(TRY(json_parse(resources)) AS ARRAY(JSON)), r -> CAST(row(${RESOURCE_MEMBERS.map(
    ([, path, other]) => `coalesce(json_extract_scalar(r, '${path}'), json_extract_scalar(r, '${other}'))`,
  ).join(', ')}) AS row(${RESOURCE_MEMBERS.map(([name]) => `${name} varchar`).join(', ')})))`,
};

/** Members of the record that `eventjson` is put together from: the name in the record, our column, and whether that is JSON text. */
const JSON_MEMBERS: readonly (readonly [name: string, column: string, kind: 'plain' | 'json'])[] = [
  ['eventVersion', 'event_version', 'plain'],
  ['eventTime', 'event_time', 'plain'],
  ['eventSource', 'event_source', 'plain'],
  ['eventName', 'event_name_raw', 'plain'],
  ['awsRegion', 'aws_region', 'plain'],
  ['sourceIPAddress', 'source_address', 'plain'],
  ['userAgent', 'user_agent', 'plain'],
  ['errorCode', 'error_code', 'plain'],
  ['errorMessage', 'error_message', 'plain'],
  ['requestParameters', 'request_parameters', 'json'],
  ['responseElements', 'response_elements', 'json'],
  ['additionalEventData', 'additional_event_data', 'json'],
  ['requestID', 'request_id', 'plain'],
  ['eventID', 'event_id', 'plain'],
  ['readOnly', 'read_only', 'plain'],
  ['resources', 'resources', 'json'],
  ['eventType', 'event_type', 'plain'],
  ['apiVersion', 'api_version', 'plain'],
  ['managementEvent', 'management_event', 'plain'],
  ['recipientAccountId', 'account_id', 'plain'],
  ['sharedEventID', 'shared_event_id', 'plain'],
  ['vpcEndpointId', 'vpc_endpoint_id', 'plain'],
  ['vpcEndpointAccountId', 'vpc_endpoint_account_id', 'plain'],
  ['serviceEventDetails', 'service_event_details', 'json'],
  ['addendum', 'addendum', 'json'],
  ['edgeDeviceDetails', 'edge_device_details', 'json'],
  ['eventCategory', 'event_category', 'plain'],
];

const EVENT_JSON: LakeColumn = {
  name: 'eventjson',
  type: 'string',
  doc: 'The record as JSON, put together from its columns: members that are null or that have no column are left out.',
  duckdb: `CAST(json_merge_patch('{}', json_object('userIdentity', TRY_CAST(user_identity AS JSON), 'tlsDetails', TRY_CAST(tls_details AS JSON), ${JSON_MEMBERS.map(
    ([name, column, kind]) =>
      `'${name}', ${kind === 'json' ? `TRY_CAST(${column} AS JSON)` : column === 'event_time' ? `strftime(event_time, '%Y-%m-%dT%H:%M:%SZ')` : column}`,
  ).join(', ')})) AS VARCHAR)`,
  athena: `json_format(${objectSql([
    ['userIdentity', structJson(IDENTITY)],
    ['tlsDetails', 'TRY(json_parse(tls_details))'],
    ...JSON_MEMBERS.map(
      ([name, column, kind]) =>
        [
          name,
          kind === 'json'
            ? `TRY(json_parse(${column}))`
            : `CAST(${column === 'event_time' ? `date_format(event_time, ${TIME_FORMAT})` : column} AS JSON)`,
        ] as const,
    ),
  ])})`,
};

/** In the order of AWS's page. */
export const LAKE_COLUMNS: readonly LakeColumn[] = [
  same('eventversion', 'event_version', 'Version of the record format.'),
  structColumn('useridentity', IDENTITY, 'Who made the request.'),
  same(LAKE_TIME, 'event_time', 'When the request was completed, UTC.', 'timestamp'),
  same('eventsource', 'event_source', 'The service that the request was made to.'),
  same('eventname', 'event_name_raw', 'The action as CloudTrail wrote it.'),
  same('awsregion', 'aws_region', 'The Region that the request was made to.'),
  same('sourceipaddress', 'source_address', 'Where the request came from, as recorded.'),
  same('useragent', 'user_agent', 'The agent through which the request was made.'),
  same('errorcode', 'error_code', 'The error of a request that failed.'),
  same('errormessage', 'error_message', 'What the error says.'),
  map('requestparameters', 'request_parameters', 'Parameters of the request.'),
  map('responseelements', 'response_elements', 'The response of actions that change something.'),
  map('additionaleventdata', 'additional_event_data', 'What belongs neither to request nor to response.'),
  same('requestid', 'request_id', 'The id that the called service gave the request.'),
  same('eventid', 'event_id', 'Id of the event.'),
  same('readonly', 'read_only', 'Whether the operation only reads.', 'boolean'),
  RESOURCES,
  same('eventtype', 'event_type', 'Kind of the event.'),
  same('apiversion', 'api_version', 'API version of an AwsApiCall event.'),
  same('managementevent', 'management_event', 'Whether it is a management event.', 'boolean'),
  same('recipientaccountid', 'account_id', 'The account that received the event.'),
  same('sharedeventid', 'shared_event_id', 'Shared by the copies of one event in several accounts.'),
  absent('annotation', 'Why delivery was delayed or data is missing.'),
  same('vpcendpointid', 'vpc_endpoint_id', 'The VPC endpoint that the request came through.'),
  same('vpcendpointaccountid', 'vpc_endpoint_account_id', 'Account of that endpoint.'),
  map('serviceeventdetails', 'service_event_details', 'What a service event tells.'),
  map('addendum', 'addendum', 'Why an event came late or was updated.'),
  map('edgedevicedetails', 'edge_device_details', 'The edge device that a request was made to.'),
  absent('insightdetails', 'Of an Insights event: those stand in `cloudtrail_insight`.', 'MAP(VARCHAR, VARCHAR)'),
  same('eventcategory', 'event_category', 'Management, Data or NetworkActivity.'),
  structColumn('tlsdetails', TLS, 'Version, cipher suite and host of the TLS connection.'),
  same(LAKE_TEXT_OF_BOOLEAN, text('session_from_console'), 'Whether a console session made the request.'),
  EVENT_JSON,
  absent('eventjsonchecksum', 'Checksum of the record.'),
];

/** A column that it reads and that only the store has; where it is absent, so is `userIdentity` of `eventjson`. */
export const LAKE_LOCAL_COLUMN = 'user_identity';

/** The columns of the view, in the words of an engine. */
export const lakeColumns = (engine: Engine): string =>
  LAKE_COLUMNS.map((column) => `${column[engine]} AS ${column.name}`).join(', ');

/** The SELECT of the view, over a relation with the columns of `cloudtrail`. */
export const lakeSelect = (engine: Engine, relation: string): string =>
  `SELECT ${lakeColumns(engine)} FROM ${relation}`;
