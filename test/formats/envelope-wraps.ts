/** Records, and every envelope around them that trailhound knows. */
import { gzipSync } from 'node:zlib';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const gzip64 = (text: string): string => gzipSync(text, { level: 1 }).toString('base64');
export const isJson = (text: string): boolean => text.startsWith('{');

/** Records that no two numbers share, with what readers of JSON get wrong. */
export const call = (id: number): string =>
  `{"eventVersion":"1.11","eventID":"11111111-1111-4111-8111-${String(id).padStart(12, '0')}","eventTime":"2026-03-01T10:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","resources":[{"accountId":"1"},{"id":"x"}],"note":"\\u00e9 \\"x\\" }]{ 1.10"}`;
export const waf = (id: number): string =>
  `{"timestamp":1700000000000,"formatVersion":1,"webaclId":"arn:aws:wafv2:a","terminatingRuleId":"x","action":"BLOCK","httpRequest":{"uri":"/a?b=\\\\","requestId":"${id}"}}`;
export const access = (id: number): string =>
  `79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - E${id} REST.GET.OBJECT k "GET /k HTTP/1.1" 200 - 1 1 1 1 "-" "x" -`;

type Wrap = (inner: string) => string;

/** Envelopes that hold any text, */
export const AROUND_TEXT: Readonly<Record<string, Wrap>> = {
  sqs: (inner) => JSON.stringify({ Records: [{ messageId: '1', body: inner, eventSource: 'aws:sqs' }] }),
  'sqs receive': (inner) => JSON.stringify({ Messages: [{ MessageId: '1', ReceiptHandle: 'r', Body: inner }] }),
  sns: (inner) => JSON.stringify({ Type: 'Notification', MessageId: '1', TopicArn: 't', Message: inner }),
  'sns of lambda': (inner) =>
    JSON.stringify({ Records: [{ EventSource: 'aws:sns', Sns: { Type: 'Notification', Message: inner } }] }),
  kinesis: (inner) =>
    JSON.stringify({ Records: [{ kinesis: { partitionKey: 'p', data: base64(inner) }, eventSource: 'aws:kinesis' }] }),
  firehose: (inner) => JSON.stringify({ deliveryStreamArn: 'd', records: [{ recordId: '1', data: base64(inner) }] }),
  'logs subscription': (inner) =>
    JSON.stringify({
      messageType: 'DATA_MESSAGE',
      logGroup: 'g',
      logEvents: [{ id: '1', timestamp: 1, message: inner }],
    }),
  'logs subscription of lambda': (inner) =>
    JSON.stringify({
      awslogs: {
        data: gzip64(
          JSON.stringify({ messageType: 'DATA_MESSAGE', logGroup: 'g', logEvents: [{ id: '1', message: inner }] }),
        ),
      },
    }),
  'filter-log-events': (inner) =>
    JSON.stringify({ events: [{ logStreamName: 's', message: inner, ingestionTime: 1 }], searchedLogStreams: [] }),
  'logs insights': (inner) =>
    JSON.stringify({
      results: [
        [
          { field: '@timestamp', value: 'x' },
          { field: '@message', value: inner },
        ],
      ],
      status: 'Complete',
    }),
  _raw: (inner) => JSON.stringify({ _raw: inner, host: 'h' }),
  'result._raw': (inner) => JSON.stringify({ preview: false, result: { _raw: inner } }),
};
/** and those that hold JSON only. */
export const AROUND_JSON: Readonly<Record<string, Wrap>> = {
  eventbridge: (inner) =>
    `{"version":"0","detail-type":"AWS API Call via CloudTrail", "detail" : ${inner} ,"region":"x"}`,
  'lookup-events': (inner) => JSON.stringify({ Events: [{ EventId: '1', CloudTrailEvent: inner }] }),
};
export const WRAPS: Readonly<Record<string, Wrap>> = { ...AROUND_TEXT, ...AROUND_JSON };

/** The record in a chain of envelopes, the first one innermost. What holds JSON only is left out around other text. */
export function wrapped(record: string, chain: readonly string[]): string {
  return chain.reduce((inner, name) => {
    const wrap = isJson(inner) ? WRAPS[name] : (AROUND_TEXT[name] ?? AROUND_TEXT['sns']);
    return wrap?.(inner) ?? inner;
  }, record);
}
