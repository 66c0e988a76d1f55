/** The table `cloudtrail_insight`: one row per Insights event, the start or the end of unusual activity that CloudTrail noticed. */
import type { Column, Table } from '../table.ts';
import { derived, EXTRA, fieldsOf, ORIGIN, structAsJson } from './table-columns.ts';

const PAGE = 'https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html';

const { field, json, timestamp, integer } = fieldsOf(() => PAGE);

/** All since eventVersion 1.07, with which Insights began. */
const SINCE = '1.07';

const event: readonly Column[] = [
  field('event_id', 'eventID', 'The id that CloudTrail gave this record; start and end of one activity have two.', {
    since: SINCE,
  }),
  timestamp(
    'event_time',
    'eventTime',
    'When the unusual activity started or ended, UTC; NULL when it is missing, unreadable, before 2013 or over a day after ingest (the original text is then in `extra`).',
    { since: SINCE },
  ),
  field('event_version', 'eventVersion', 'Version of the record format, `major.minor`.', { since: SINCE }),
  field('event_type', 'eventType', 'Always AwsCloudTrailInsight.', { since: SINCE }),
  field('event_category', 'eventCategory', 'Always Insight.', { since: SINCE }),
  field('aws_region', 'awsRegion', 'The Region of the unusual activity.', { since: SINCE }),
  field('account_id', 'recipientAccountId', 'The account that received the record.', { since: SINCE }),
  field('shared_event_id', 'sharedEventID', 'Shared by the start and the end of one unusual activity.', {
    since: SINCE,
  }),
];

const insight: readonly Column[] = [
  field('insight_state', 'insightDetails.state', 'Start or End of the unusual activity.', { since: SINCE }),
  field('event_source', 'insightDetails.eventSource', 'The service of the API, for example `ec2.amazonaws.com`.', {
    since: SINCE,
  }),
  field('event_name', 'insightDetails.eventName', 'The API that was called unusually often, or failed so.', {
    since: SINCE,
  }),
  field(
    'insight_type',
    'insightDetails.insightType',
    'ApiCallRateInsight (calls per minute) or ApiErrorRateInsight (errors per minute).',
    { since: SINCE },
  ),
  field('error_code', 'insightDetails.errorCode', 'The error whose rate was unusual, of an ApiErrorRateInsight.'),
  field(
    'baseline_average',
    'insightDetails.insightContext.statistics.baseline.average',
    'Usual calls or errors per minute before the start, a decimal number as it was written: cast it to DOUBLE.',
    { since: SINCE, athena: 'CAST(insightdetails.insightcontext.statistics.baseline.average AS varchar)' },
  ),
  field(
    'insight_average',
    'insightDetails.insightContext.statistics.insight.average',
    'Calls or errors per minute during the unusual activity, a decimal number as it was written: cast it to DOUBLE.',
    { since: SINCE, athena: 'CAST(insightdetails.insightcontext.statistics.insight.average AS varchar)' },
  ),
  integer(
    'insight_duration_minutes',
    'insightDetails.insightContext.statistics.insightDuration',
    'Minutes from the start to the end of the unusual activity.',
    { since: SINCE },
  ),
  integer(
    'baseline_duration_minutes',
    'insightDetails.insightContext.statistics.baselineDuration',
    'Minutes over which the usual rate was measured, up to the start: seven days at least.',
    { since: SINCE },
  ),
  json(
    'attributions',
    'insightDetails.insightContext.attributions',
    'Callers (userIdentityArn), user agents and error codes with their averages during the unusual activity and before, five of each at most.',
    {
      since: SINCE,
      athena:
        'json_format(CAST(CAST(insightdetails.insightcontext.attributions AS ARRAY(ROW("attribute" varchar,' +
        ' "insight" ARRAY(ROW("value" varchar, "average" double)), "baseline" ARRAY(ROW("value" varchar, "average" double))))) AS JSON))',
    },
  ),
  json('addendum', 'addendum', 'Why the record was delivered late or again, and which fields changed.', {
    athena: structAsJson(
      'addendum',
      '"reason" varchar, "updatedFields" varchar, "originalRequestID" varchar, "originalEventID" varchar',
    ),
  }),
  json('insight_details', 'insightDetails', 'All that is known of the unusual activity, all keys.', {
    since: SINCE,
    athena: null,
  }),
  EXTRA,
];

const derivations: readonly Column[] = [
  derived(
    'caller_arns',
    'VARCHAR[]',
    'ARNs of the callers during the unusual activity, from `attributions`, the busiest first; NULL when the record names none.',
    // Trino reads no `[*]` path and DuckDB has no transform(). Of what is attributed only callers are ARNs.
    "CASE WHEN starts_with(attributions, '[') THEN filter(json_extract_scalar(attributions, '$[*].insight[*].value'), x -> starts_with(x, 'arn:')) END",
    "flatten(transform(filter(insightdetails.insightcontext.attributions, x -> x.attribute = 'userIdentityArn'), x -> transform(x.insight, y -> y.value)))",
  ),
];

export const cloudtrailInsightTable: Table = {
  name: 'cloudtrail_insight',
  doc: 'Insights events of CloudTrail, one row per record: unusual rates of calls or of errors of one API.',
  schemaVersion: 1,
  columns: [...ORIGIN, ...event, ...insight, ...derivations],
  identity: { id: ['event_id'], facts: ['event_time', 'event_source', 'event_name', 'account_id', 'insight_state'] },
  roles: {
    eventId: 'event_id',
    eventName: 'event_name',
    eventSource: 'event_source',
    accountId: 'account_id',
    region: 'aws_region',
    sourceIp: null,
    principalArn: null,
    origin: 'account_id',
  },
  profile: ['event_source', 'event_name', 'insight_type', 'insight_state'],
};
