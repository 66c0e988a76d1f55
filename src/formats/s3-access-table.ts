/** The table `s3_access`: one row per record of an S3 server access log, each field of AWS's page as a column. */
import type { Column, ColumnType, Table } from '../table.ts';
import { addressIn, roleOfSession } from './derivations.ts';
import { derived, derivedOf, ORIGIN } from './table-columns.ts';

const PAGE = 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html';

/** `title` is the field's name on AWS's page; `athena` the value over the raw table of https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-s3-access-logs-to-identify-requests.html. */
const field = (name: string, type: ColumnType, title: string, doc: string, athena: string | null): Column => ({
  name,
  type,
  doc,
  aws: PAGE,
  raw: title,
  athena,
});

/** A field is `-` when it is unknown or does not apply. */
const text = (name: string, title: string, athena: string, doc: string): Column =>
  field(name, 'VARCHAR', title, doc, `nullif(${athena}, '-')`);

/** The pattern of the raw table leaves the quotes in. */
const quoted = (name: string, title: string, athena: string, doc: string): Column =>
  field(name, 'VARCHAR', title, doc, `nullif(regexp_replace(${athena}, '^"|"$'), '-')`);

const number = (name: string, type: 'INTEGER' | 'BIGINT', title: string, athena: string, doc: string): Column =>
  field(name, type, title, doc, `TRY_CAST(${athena} AS ${type})`);

/** In the order of the line, which the decoder relies on. Old records end early: version id, host id and the fields after them were added one by one. */
const fields: readonly Column[] = [
  text('bucket_owner', 'Bucket Owner', 'bucketowner', 'Canonical user id of the owner of the bucket, 64 hex digits.'),
  text(
    'bucket',
    'Bucket',
    'bucket_name',
    'The bucket that the request was processed against; of the GET part of a copy the source.',
  ),
  field(
    'event_time',
    'TIMESTAMP',
    'Time',
    'When the request was received, UTC; NULL when it is unreadable, before 2006 or over a day after ingest (the original text is then in `extra`).',
    "CAST(try(parse_datetime(requestdatetime, 'dd/MMM/yyyy:HH:mm:ss Z')) AT TIME ZONE 'UTC' AS timestamp(3))",
  ),
  text('remote_ip', 'Remote IP', 'remoteip', 'Address of the requester as S3 saw it; proxies may stand in between.'),
  text(
    'requester',
    'Requester',
    'requester',
    'ARN of the IAM user or role session, canonical user id, or service; NULL when the request was not authenticated.',
  ),
  text(
    'request_id',
    'Request ID',
    'requestid',
    'Id of the request; the objects of a batch delete share it, and those of a Compute checksum job have the id of the job.',
  ),
  text(
    'operation',
    'Operation',
    'operation',
    '`REST.<method>.<resource>`, `WEBSITE.<method>.<resource>`, `SOAP.<operation>`, `BATCH.DELETE.OBJECT`, `S3.<action>.<resource>` for lifecycle, `S3.COMPUTE.OBJECT.CHECKSUM`. A copy is two records, one of them `REST.COPY.OBJECT_GET`.',
  ),
  text(
    'key',
    'Key',
    'key',
    'Key of the object as AWS wrote it: URL-encoded, as a rule twice (`url_decode(url_decode(key))` is the name).',
  ),
  quoted(
    'request_uri',
    'Request-URI',
    'request_uri',
    'First line of the HTTP request. S3 ignores parameters that begin with `x-` and logs them.',
  ),
  number('http_status', 'INTEGER', 'HTTP status', 'httpstatus', 'HTTP status of the response.'),
  text('error_code', 'Error Code', 'errorcode', "S3's error code; NULL when there was no error."),
  number(
    'bytes_sent',
    'BIGINT',
    'Bytes Sent',
    'bytessent',
    'Bytes of the response without HTTP overhead; NULL when zero.',
  ),
  number('object_size', 'BIGINT', 'Object Size', 'objectsize', 'Bytes of the whole object.'),
  number(
    'total_time_ms',
    'BIGINT',
    'Total Time',
    'totaltime',
    'Milliseconds from the receipt of the request to the last byte of the response.',
  ),
  number(
    'turn_around_time_ms',
    'BIGINT',
    'Turn-Around Time',
    'turnaroundtime',
    'Milliseconds from the last byte of the request to the first of the response.',
  ),
  quoted(
    'referrer',
    'Referer',
    'referrer',
    'The header Referer, unescaped. A client can put into it what looks like the fields that follow: where it ends is then a guess.',
  ),
  quoted('user_agent', 'User-Agent', 'useragent', 'The header User-Agent, unescaped.'),
  text(
    'version_id',
    'Version Id',
    'versionid',
    'The version id in the request; of the GET part of a copy that of the source.',
  ),
  text('host_id', 'Host Id', 'hostid', 'The header x-amz-id-2, the extended request id.'),
  text(
    'signature_version',
    'Signature Version',
    'sigv',
    '`SigV2` or `SigV4`; NULL when the request carried no signature.',
  ),
  text('cipher_suite', 'Cipher Suite', 'ciphersuite', 'The TLS cipher; NULL for plain HTTP.'),
  text(
    'authentication_type',
    'Authentication Type',
    'authtype',
    '`AuthHeader`, `QueryString` (a presigned URL), or NULL when the request was not authenticated.',
  ),
  text('host_header', 'Host Header', 'endpoint', 'The endpoint that the request was sent to.'),
  text(
    'tls_version',
    'TLS version',
    'tlsversion',
    'For example `TLSv1.2`; NULL for plain HTTP. Older records spell it `TLSV1.2`.',
  ),
  text('access_point_arn', 'Access Point ARN', 'accesspointarn', 'ARN of the access point that was used.'),
  field(
    'acl_required',
    'BOOLEAN',
    'aclRequired',
    'Whether the request was authorized by an ACL; NULL in records from before the field.',
    "CASE aclrequired WHEN 'Yes' THEN true WHEN '-' THEN false END",
  ),
  // The raw table of AWS's page ends before it.
  field(
    'source_region',
    'VARCHAR',
    'Source Region',
    'Region that the request came from; NULL when it came from outside of AWS.',
    null,
  ),
];

const rest: readonly Column[] = [
  {
    name: 'extra',
    type: 'VARCHAR',
    json: true,
    doc: 'All that has no column, as one JSON object: `further_fields`, the text after the last known field, values that do not fit the type of their column, by its name, and `line_latin1`, the first 64 KiB of a line that is not UTF-8, with each byte as the character of its number: in the columns such a byte is `?`.',
    athena: null,
  },
];

/** What S3 calls the anonymous user in ACLs (https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html). */
const ANONYMOUS_ID = '65a011a29cdf8ec533ec3d1ccaae921c';

const derivations: readonly Column[] = [
  derived(
    'account_id',
    'VARCHAR',
    'Account of the requester, where its ARN shows it.',
    "CASE WHEN starts_with(requester, 'arn:') THEN regexp_extract(requester, '^arn:[^:]*:(?:iam|sts)::([0-9]{12}):', 1) END",
  ),
  derived(
    'principal_arn',
    'VARCHAR',
    'ARN of the user or role that called; of a role session that of the role, without its path, which the log leaves out.',
    `CASE WHEN strpos(requester, ':assumed-role/') > 0 THEN ${roleOfSession('requester')} WHEN starts_with(requester, 'arn:') THEN requester END`,
  ),
  derived(
    'session_name',
    'VARCHAR',
    'Name of the role session, chosen by whoever assumed the role; NULL for others.',
    "CASE WHEN strpos(requester, ':assumed-role/') > 0 THEN regexp_extract(requester, ':assumed-role/[^/]+/(.+)$', 1) END",
  ),
  derived(
    'is_anonymous',
    'BOOLEAN',
    'Whether the request came without credentials. One whose credentials were refused has no requester either, but a signature.',
    `coalesce(lower(requester) IN ('anonymous', '${ANONYMOUS_ID}'), signature_version IS NULL AND authentication_type IS NULL)`,
  ),
  derived(
    'principal',
    'VARCHAR',
    'Who called, never NULL: the ARN, else the canonical user id or service, `anonymous`, or `unknown` when credentials were refused.',
    "coalesce(principal_arn, CASE WHEN is_anonymous THEN 'anonymous' END, requester, 'unknown')",
  ),
  derivedOf(
    ['success', 'denied', 'failed'],
    'outcome',
    'VARCHAR',
    '`success`, `denied` (status 401 or 403) or `failed` (another status from 400 on). Without a status the error code decides.',
    "CASE WHEN http_status IN (401, 403) THEN 'denied' WHEN http_status >= 400 THEN 'failed' WHEN http_status IS NULL AND error_code <> ''" +
      " THEN CASE WHEN error_code = 'AccessDenied' THEN 'denied' ELSE 'failed' END ELSE 'success' END",
  ),
  derived(
    'method',
    'VARCHAR',
    'Second part of the operation: the HTTP method, `COPY`, the SOAP operation, or what lifecycle did.',
    "regexp_extract(operation, '^[^.]+[.]([^.]+)', 1)",
  ),
  derived(
    'resource_type',
    'VARCHAR',
    'Rest of the operation: what it acts on, for example `OBJECT`, `BUCKETPOLICY`, `LOGGING_STATUS`.',
    "regexp_extract(operation, '^[^.]+[.][^.]+[.](.+)$', 1)",
  ),
  derived('source_ip', 'VARCHAR', 'The remote address where it is an IP address.', addressIn('remote_ip')),
];

export const s3AccessTable: Table = {
  name: 's3_access',
  doc: 'Requests to S3 buckets that their server access logs tell of, one row per record. Delivery is best effort: a record may be late, missing or there twice.',
  schemaVersion: 1,
  columns: [...ORIGIN, ...fields, ...rest, ...derivations],
  repeatedInExtra: ['line_latin1'],
  identity: {
    id: ['request_id', 'operation', 'key', 'version_id'],
    facts: ['event_time', 'remote_ip', 'requester', 'request_uri', 'http_status', 'bytes_sent'],
  },
  roles: {
    eventId: 'request_id',
    eventName: 'operation',
    eventSource: null,
    accountId: 'account_id',
    region: null,
    sourceIp: 'source_ip',
    principalArn: 'principal_arn',
    origin: 'bucket',
  },
  profile: ['operation', 'method', 'resource_type', 'outcome', 'error_code', 'is_anonymous', 'authentication_type'],
};
