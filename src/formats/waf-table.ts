/** The table `waf`: one row per web request that AWS WAF judged, each field of AWS's log reference as a column. */
import type { Column, Table } from '../table.ts';
import { addressIn } from './derivations.ts';
import { derived, EXTRA, fieldsOf, ORIGIN, structAsJson, typedAsJson } from './table-columns.ts';

const FIELDS_PAGE = 'https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html';

const { field, json, integer } = fieldsOf(() => FIELDS_PAGE);

/** Types of the raw table (https://docs.aws.amazon.com/athena/latest/ug/create-waf-table-partition-projection.html) under the names that AWS writes. */
const MATCH_DETAILS =
  'ARRAY(ROW("conditionType" varchar, "sensitivityLevel" varchar, "location" varchar, "matchedData" ARRAY(varchar)))';
const TOKEN_RESPONSE = '"responseCode" integer, "solveTimestamp" bigint, "failureReason" varchar';
const MATCHING_RULES =
  `ARRAY(ROW("ruleId" varchar, "action" varchar, "overriddenAction" varchar, "ruleMatchDetails" ${MATCH_DETAILS},` +
  ' "challengeResponse" ROW("responseCode" integer, "solveTimestamp" bigint), "captchaResponse" ROW("responseCode" integer, "solveTimestamp" bigint)))';
const RULE_GROUPS =
  `ARRAY(ROW("ruleGroupId" varchar, "terminatingRule" ROW("ruleId" varchar, "action" varchar, "ruleMatchDetails" ${MATCH_DETAILS}),` +
  ` "nonTerminatingMatchingRules" ${MATCHING_RULES}, "excludedRules" varchar))`;
const NAMES_AND_VALUES = 'ARRAY(ROW("name" varchar, "value" varchar))';

const verdict: readonly Column[] = [
  {
    name: 'event_time',
    type: 'TIMESTAMP',
    doc: 'When AWS WAF received the request, UTC, to the millisecond; NULL when it is missing, no whole number, before 2013 or over a day after ingest (the original value is then in `extra`).',
    aws: FIELDS_PAGE,
    raw: 'timestamp',
    athena: `try(CAST(from_unixtime(CAST("timestamp" AS double) / 1000) AT TIME ZONE 'UTC' AS timestamp(3)))`,
  },
  field('format_version', 'formatVersion', 'Version of the log format.', { athena: 'CAST(formatversion AS varchar)' }),
  field(
    'web_acl_id',
    'webaclId',
    'ARN of the web ACL (protection pack) that judged the request; of AWS WAF Classic its id.',
  ),
  field(
    'terminating_rule_id',
    'terminatingRuleId',
    'The rule that ended the inspection; `Default_Action` when none did.',
  ),
  field(
    'terminating_rule_type',
    'terminatingRuleType',
    'Type of this rule: REGULAR, RATE_BASED, GROUP or MANAGED_RULE_GROUP.',
    { values: ['REGULAR', 'RATE_BASED', 'GROUP', 'MANAGED_RULE_GROUP'] },
  ),
  field('action', 'action', 'What was done with the request: ALLOW, BLOCK, CAPTCHA or CHALLENGE.', {
    values: ['ALLOW', 'BLOCK', 'CAPTCHA', 'CHALLENGE'],
  }),
  json(
    'terminating_rule_match_details',
    'terminatingRuleMatchDetails',
    'What matched, for rules against SQL injection and cross-site scripting.',
    { athena: typedAsJson('terminatingrulematchdetails', MATCH_DETAILS) },
  ),
  field(
    'http_source_name',
    'httpSourceName',
    'What the request was made to: CF (CloudFront), ALB, APIGW (API Gateway), APPSYNC, COGNITOIDP, APPRUNNER or VERIFIED_ACCESS.',
  ),
  field('http_source_id', 'httpSourceId', 'Id of the protected resource, as the service behind it writes it.'),
  field(
    'cf_distribution_tenant_id',
    'cfDistributionTenantId',
    'The CloudFront distribution tenant that the request was made to.',
  ),
  json('rule_group_list', 'ruleGroupList', 'Rule groups that were evaluated, with their matching and excluded rules.', {
    athena: typedAsJson('rulegrouplist', RULE_GROUPS),
  }),
  json(
    'rate_based_rule_list',
    'rateBasedRuleList',
    'Rate-based rules that acted on the request, with their keys and limits.',
    {
      athena: typedAsJson(
        'ratebasedrulelist',
        'ARRAY(ROW("rateBasedRuleId" varchar, "limitKey" varchar, "maxRateAllowed" integer))',
      ),
    },
  ),
  json(
    'non_terminating_matching_rules',
    'nonTerminatingMatchingRules',
    'Rules that matched without ending the inspection: COUNT, and CAPTCHA or CHALLENGE with a valid token.',
    { athena: typedAsJson('nonterminatingmatchingrules', MATCHING_RULES) },
  ),
  json('request_headers_inserted', 'requestHeadersInserted', 'Headers that a rule had inserted into the request.', {
    athena: typedAsJson('requestheadersinserted', NAMES_AND_VALUES),
  }),
  integer('response_code_sent', 'responseCodeSent', 'HTTP status that was sent with a custom response.'),
];

const request: readonly Column[] = [
  field('client_ip', 'httpRequest.clientIp', 'Address that the request came from, as recorded.'),
  field('country', 'httpRequest.country', 'Country of this address (ISO 3166-1 alpha-2); `-` when it is not known.'),
  json('headers', 'httpRequest.headers', 'Headers of the request in their order: name and value of each.', {
    athena: typedAsJson('httprequest.headers', NAMES_AND_VALUES),
  }),
  field('uri', 'httpRequest.uri', 'Path of the request.'),
  field('args', 'httpRequest.args', 'Query string, without the question mark.'),
  field('http_version', 'httpRequest.httpVersion', 'HTTP version, for example `HTTP/2.0`.'),
  field('http_method', 'httpRequest.httpMethod', 'HTTP method.'),
  field(
    'request_id',
    'httpRequest.requestId',
    'Id that the protected service gave the request: of a load balancer the trace id.',
  ),
  field('fragment', 'httpRequest.fragment', 'What followed the `#` of the URL.'),
  field('scheme', 'httpRequest.scheme', 'Scheme of the URL: http or https.'),
  field('host', 'httpRequest.host', 'Host that the request was made to.'),
];

const details: readonly Column[] = [
  json('label_list', 'labels', 'Labels that rules put on the request, the first 100, as recorded.', {
    athena: typedAsJson('labels', 'ARRAY(ROW("name" varchar))'),
  }),
  json(
    'captcha_response',
    'captchaResponse',
    'State of the last CAPTCHA action: responseCode, solveTimestamp, failureReason.',
    {
      athena: structAsJson('captcharesponse', TOKEN_RESPONSE),
    },
  ),
  json(
    'challenge_response',
    'challengeResponse',
    'State of the last Challenge action: responseCode, solveTimestamp, failureReason.',
    { athena: structAsJson('challengeresponse', TOKEN_RESPONSE) },
  ),
  field('ja3_fingerprint', 'ja3Fingerprint', "JA3 hash of the client's TLS hello; CloudFront and load balancers only."),
  field('ja4_fingerprint', 'ja4Fingerprint', "JA4 hash of the client's TLS hello; CloudFront and load balancers only."),
  integer('client_asn', 'clientAsn', 'Autonomous system of the client address; only where a rule matches on it.', {
    type: 'BIGINT',
  }),
  integer('forwarded_asn', 'forwardedAsn', 'Autonomous system of the address that forwarded the request.', {
    type: 'BIGINT',
  }),
  json(
    'oversize_field_list',
    'oversizeFields',
    'Parts of the request that were over the inspection limit, as recorded.',
    {
      athena: 'oversizefields',
    },
  ),
  integer('request_body_size', 'requestBodySize', 'Size of the request body in bytes.', { type: 'BIGINT' }),
  integer(
    'request_body_size_inspected',
    'requestBodySizeInspectedByWAF',
    'Bytes of the request body that were inspected.',
    { type: 'BIGINT' },
  ),
  EXTRA,
];

const derivations: readonly Column[] = [
  derived(
    'account_id',
    'VARCHAR',
    'Account of the web ACL; where its id is no ARN (AWS WAF Classic) that of the protected resource if its id tells.',
    "coalesce(regexp_extract(web_acl_id, '^arn:[^:]*:[^:]*:[^:]*:([^:]+):', 1), regexp_extract(http_source_id, '^arn:[^:]*:[^:]*:[^:]*:([^:]+):', 1)," +
      " regexp_extract(http_source_id, '^([0-9]{12})[:-]', 1))",
  ),
  derived(
    'region',
    'VARCHAR',
    'Region of the web ACL; `us-east-1` for CloudFront.',
    "coalesce(regexp_extract(web_acl_id, '^arn:[^:]*:[^:]*:([^:]+):', 1), regexp_extract(http_source_id, '^arn:[^:]*:[^:]*:([^:]+):', 1))",
  ),
  derived(
    'web_acl_name',
    'VARCHAR',
    'Name of the web ACL, from its ARN.',
    "regexp_extract(web_acl_id, '/webacl/([^/]+)/', 1)",
  ),
  derived(
    'user_agent',
    'VARCHAR',
    'The first User-Agent header; NULL when the request had none.',
    // A pattern over the text of `headers`: reading each header as JSON takes several times as long. AWS writes the name before the value.
    `json_extract_scalar(regexp_extract(headers, '(?i)"name"[ ]*:[ ]*"user-agent"[ ]*,[ ]*"value"[ ]*:[ ]*("([^"\\\\]|\\\\.)*")', 1), '$')`,
  ),
  derived(
    'labels',
    'VARCHAR[]',
    'Names of the labels that rules put on the request; NULL when the record lists none.',
    "CASE WHEN starts_with(label_list, '[') THEN filter(json_extract_scalar(label_list, '$[*].name'), x -> x IS NOT NULL) END",
    'filter(transform(labels, x -> x.name), x -> x IS NOT NULL)',
  ),
  derived(
    'oversize_fields',
    'VARCHAR[]',
    'Parts of the request that were over the inspection limit: REQUEST_BODY, REQUEST_JSON_BODY, REQUEST_HEADERS, REQUEST_COOKIES.',
    "regexp_extract_all(oversize_field_list, '[A-Za-z0-9_]+')",
  ),
  derived(
    'matched_rules',
    'VARCHAR[]',
    'Every rule that matched, once: the terminating one, those inside rule groups (excluded ones too), and those that only counted.',
    // Trino reads no `[*]` path and DuckDB has no transform().
    "array_distinct(filter(flatten([CASE WHEN terminating_rule_id <> 'Default_Action' THEN [terminating_rule_id] END," +
      " CASE WHEN starts_with(rule_group_list, '[') THEN json_extract_scalar(rule_group_list, '$[*].terminatingRule.ruleId') END," +
      " CASE WHEN starts_with(rule_group_list, '[') THEN json_extract_scalar(rule_group_list, '$[*].nonTerminatingMatchingRules[*].ruleId') END," +
      " CASE WHEN starts_with(rule_group_list, '[') THEN json_extract_scalar(rule_group_list, '$[*].excludedRules[*].ruleId') END," +
      " CASE WHEN starts_with(non_terminating_matching_rules, '[') THEN json_extract_scalar(non_terminating_matching_rules, '$[*].ruleId') END]), x -> x IS NOT NULL))",
    "array_distinct(filter(flatten(ARRAY[IF(terminatingruleid <> 'Default_Action', ARRAY[terminatingruleid], ARRAY[])," +
      ' transform(coalesce(rulegrouplist, ARRAY[]), x -> x.terminatingrule.ruleid),' +
      ' flatten(transform(coalesce(rulegrouplist, ARRAY[]), x -> transform(coalesce(x.nonterminatingmatchingrules, ARRAY[]), y -> y.ruleid))),' +
      ` flatten(transform(coalesce(rulegrouplist, ARRAY[]), x -> regexp_extract_all(x.excludedrules, '"ruleId":"([^"]+)"', 1))),` +
      ' transform(coalesce(nonterminatingmatchingrules, ARRAY[]), x -> x.ruleid)]), x -> x IS NOT NULL))',
  ),
  derived(
    'would_block',
    'BOOLEAN',
    'Whether a rule that only counts matched a request that was allowed: with another action it might have been stopped.',
    'coalesce(action = \'ALLOW\' AND (regexp_like(non_terminating_matching_rules, \'"action"[ ]*:[ ]*"COUNT"\')' +
      ` OR regexp_like(rule_group_list, '"action"[ ]*:[ ]*"COUNT"|"exclusionType"[ ]*:[ ]*"EXCLUDED_AS_COUNT"')), false)`,
  ),
  derived('source_ip', 'VARCHAR', 'The client address where it is an IP address.', addressIn('client_ip')),
];

export const wafTable: Table = {
  name: 'waf',
  doc: 'Web requests that AWS WAF judged, one row per request: what was asked, which rules matched, and what was done.',
  schemaVersion: 1,
  columns: [...ORIGIN, ...verdict, ...request, ...details, ...derivations],
  identity: {
    id: ['request_id', 'event_time', 'web_acl_id', 'http_source_id'],
    facts: ['client_ip', 'http_method', 'uri', 'args', 'action', 'terminating_rule_id'],
  },
  roles: {
    eventId: 'request_id',
    eventName: 'action',
    eventSource: 'http_source_name',
    accountId: 'account_id',
    region: 'region',
    sourceIp: 'source_ip',
    principalArn: null,
    origin: 'web_acl_id',
  },
  profile: ['action', 'http_source_name', 'terminating_rule_type', 'terminating_rule_id'],
};
