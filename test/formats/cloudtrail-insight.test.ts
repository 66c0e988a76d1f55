import { describe, expect, it } from 'vitest';
import { cloudtrailFormat } from '../../src/formats/cloudtrail.ts';
import { cloudtrailInsightFormat } from '../../src/formats/cloudtrail-insight.ts';
import { cloudtrailInsightTable } from '../../src/formats/cloudtrail-insight-table.ts';
import { derivedColumns, rawColumns } from '../../src/table.ts';
import { type Decoded, decode, LIMITS, LOG_FILE, without } from './decode.ts';
import { derive } from './derive.ts';

const decodeInsights = (content: string): Promise<Decoded> => decode(content, LIMITS, cloudtrailInsightFormat);

const ATTRIBUTIONS =
  '[{"attribute":"userIdentityArn","insight":[{"value":"arn:aws:sts::123456789012:assumed-role/CodeDeployRole1","average":5.0},' +
  '{"value":"arn:aws:sts::123456789012:assumed-role/CodeDeployRole2","average":5.0}],' +
  '"baseline":[{"value":"arn:aws:sts::123456789012:assumed-role/CodeDeployRole3","average":9.82222E-5}]},' +
  '{"attribute":"userAgent","insight":[{"value":"codedeploy.amazonaws.com","average":5.0}],"baseline":[]},' +
  '{"attribute":"errorCode","insight":[{"value":"null","average":5.0}],"baseline":[{"value":"null","average":9.82222E-5}]}]';
const DETAILS =
  '{"state":"Start","eventSource":"autoscaling.amazonaws.com","eventName":"CompleteLifecycleAction","insightType":"ApiCallRateInsight","errorCode":"E",' +
  '"insightContext":{"statistics":{"baseline":{"average":9.82222E-5},"insight":{"average":5.0},"insightDuration":1,"baselineDuration":10181},' +
  `"attributions":${ATTRIBUTIONS}},"new":{"kept":true}}`;
/** After the example of https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html. */
const START =
  '{"eventVersion":"1.08","eventTime":"2024-01-10T01:42:00Z","awsRegion":"us-east-1","eventID":"55ed45c5-0b0c-4228-9fe5-0000000c3f4d",' +
  '"eventType":"AwsCloudTrailInsight","recipientAccountId":"123456789012","sharedEventID":"979c82fe-14d4-4e4c-aa01-00000003acee",' +
  `"insightDetails":${DETAILS},"eventCategory":"Insight","addendum":{"reason":"DELIVERY_DELAY"},"unknown":1}`;
const LOG_EVENT = '{"eventVersion":"1.08","eventName":"N","userIdentity":{},"requestParameters":{}}';

describe('values', () => {
  it('puts each documented field into its column', async () => {
    const { rows, rejects, kind, recordsIn } = await decodeInsights(`{"Records":[${START}]}`);
    expect({ kind, recordsIn, rejects }).toEqual({ kind: 'insights', recordsIn: 1, rejects: [] });
    expect(rows.map((row) => without(row, 'event_day', 'identity', 'has_identity'))).toEqual([
      {
        log_file: LOG_FILE,
        record_no: 0,
        event_id: '55ed45c5-0b0c-4228-9fe5-0000000c3f4d',
        event_time: BigInt(Date.UTC(2024, 0, 10, 1, 42)) * 1000n,
        event_version: '1.08',
        event_type: 'AwsCloudTrailInsight',
        event_category: 'Insight',
        aws_region: 'us-east-1',
        account_id: '123456789012',
        shared_event_id: '979c82fe-14d4-4e4c-aa01-00000003acee',
        insight_state: 'Start',
        event_source: 'autoscaling.amazonaws.com',
        event_name: 'CompleteLifecycleAction',
        insight_type: 'ApiCallRateInsight',
        error_code: 'E',
        baseline_average: '9.82222E-5',
        insight_average: '5.0',
        insight_duration_minutes: 1,
        baseline_duration_minutes: 10_181,
        attributions: ATTRIBUTIONS,
        addendum: '{"reason":"DELIVERY_DELAY"}',
        insight_details: DETAILS,
        extra: '{"unknown":1}',
      },
    ]);
  });

  it('has the day of the event and the id of the record as its identity', async () => {
    const { rows } = await decodeInsights(START);
    expect(rows.map((row) => [row['event_day'], row['has_identity'], String(row['identity']).slice(0, 32)])).toEqual([
      [19_732, true, '4d3f0c000000e59f28420c0bc545ed55'],
    ]);
  });

  it('tells who called', async () => {
    expect(await derive(cloudtrailInsightTable, { attributions: ATTRIBUTIONS })).toEqual({
      caller_arns: [
        'arn:aws:sts::123456789012:assumed-role/CodeDeployRole1',
        'arn:aws:sts::123456789012:assumed-role/CodeDeployRole2',
      ],
    });
    expect(await derive(cloudtrailInsightTable, {})).toEqual({ caller_arns: null });
    expect(await derive(cloudtrailInsightTable, { attributions: '[]' })).toEqual({ caller_arns: [] });
  });
});

describe('files', () => {
  const BY_CATEGORY = '{"eventID":"1","eventCategory":"Insight"}';
  const BY_TYPE = '{"eventID":"2","eventType":"AwsCloudTrailInsight"}';
  const CASES: readonly [string, string, Decoded['kind'], readonly string[], readonly string[]][] = [
    [
      'Insights by details, category and type',
      `[${START},${BY_CATEGORY},${BY_TYPE}]`,
      'insights',
      ['55ed', '1', '2'],
      [],
    ],
    [
      'a log event among them',
      `{"Records":[${BY_CATEGORY},${LOG_EVENT},${BY_TYPE}]}`,
      'insights',
      ['1', '2'],
      ['not-insights-record'],
    ],
    ['a broken one', `{"Records":[{"eventVersion":1 x},${BY_TYPE}]}`, 'insights', ['2'], ['json-invalid']],
    ['none', '{"Records":[]}', 'empty', [], []],
    ['a digest', '{"awsAccountId":"1","digestStartTime":"x"}', 'digest', [], []],
    ['another log', '{"timestamp":1}', 'other', [], ['not-insights']],
  ];
  it.each(CASES)('reads %s', async (_, content, kind, ids, reasons) => {
    const decoded = await decodeInsights(content);
    expect({
      kind: decoded.kind,
      ids: decoded.rows.map((row) => String(row['event_id']).slice(0, 4)),
      reasons: decoded.rejects.map(({ reason }) => reason),
      recordsIn: decoded.recordsIn,
    }).toEqual({ kind, ids, reasons, recordsIn: ids.length + reasons.length });
  });
});

describe('sniff', () => {
  const DAY = '/us-east-1/2026/01/01/111122223333_';
  const INSIGHT_KEY = `AWSLogs/111122223333/CloudTrail-Insight${DAY}CloudTrail-Insight_us-east-1_20260101T0000Z_x.json.gz`;
  const LOG_KEY = `AWSLogs/111122223333/CloudTrail${DAY}CloudTrail_us-east-1_20260101T0000Z_x.json.gz`;
  /** What the format of Insights says, and what that of log files says. */
  const CASES: readonly [string, string, string, 'content' | 'key' | null, 'content' | 'key' | null][] = [
    ['Insights', `{"Records":[${START}`, LOG_KEY, 'content', null],
    ['Insights by their type', '{"Records":[{"eventType":"AwsCloudTrailInsight"', 'x', 'content', null],
    ['log events', `{"Records":[${LOG_EVENT}]}`, INSIGHT_KEY, 'key', 'content'],
    ['a log event before Insights', `{"Records":[${LOG_EVENT},${START}]}`, 'x', null, 'content'],
    ['nothing, under the key of Insights', '', INSIGHT_KEY, 'key', null],
    ['nothing, under the key of a log file', '', LOG_KEY, null, 'key'],
    ['text', 'insightDetails', 'x', null, null],
  ];
  it.each(CASES)('judges %s', (_, head, key, insights, log) => {
    const bytes = Buffer.from(head);
    expect([cloudtrailInsightFormat.sniff(bytes, key), cloudtrailFormat.sniff(bytes, key)]).toEqual([insights, log]);
  });
});

describe('the table', () => {
  it('documents every column, names each once, raw ones first', () => {
    const { columns } = cloudtrailInsightTable;
    expect(columns.filter(({ doc }) => !doc.endsWith('.'))).toEqual([]);
    expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
    expect(columns).toEqual([...rawColumns(cloudtrailInsightTable), ...derivedColumns(cloudtrailInsightTable)]);
  });
});
