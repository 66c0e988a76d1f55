/** The sinks on AWS against a server that speaks its languages, and against refusals in the words of AWS. */
import { CloudWatchClient, GetMetricStatisticsCommand, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { EnableSecurityHubCommand, GetFindingsCommand, SecurityHubClient } from '@aws-sdk/client-securityhub';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Message } from '../../src/sink.ts';
import { checkSinkOptions } from '../../src/sinks/open.ts';
import { type HttpPeer, startHttpPeer } from '../support/http-peer.ts';
import { ALERT, alertMessage, plainMessage } from '../support/messages.ts';
import { AWS_ENV, type Moto, motoMissing, startMoto } from '../support/moto.ts';
import { open, outcome } from '../support/sinks.ts';

const REGION = AWS_ENV.AWS_REGION;
const ACCOUNT = '123456789012';
/** More than any of these services takes. */
const HUGE = '"\u0000€'.repeat(50_000);
const huge = (): Message =>
  alertMessage(
    {
      title: HUGE,
      summary: HUGE,
      subject: { principal: HUGE, [HUGE]: HUGE },
      event_ids: Array(20).fill(HUGE) as string[],
      parameters: { x: [HUGE] },
    },
    { text: HUGE },
  );

const before = { ...process.env };
Object.assign(process.env, AWS_ENV);
afterAll(() => {
  process.env = before;
});

describe.skipIf(motoMissing !== null)('moto', () => {
  let moto: Moto;
  let clients: { readonly region: string; readonly endpoint: string };
  let sqs: SQSClient;
  let queueUrl: string;
  let queueArn: string;
  let number = 0;

  beforeAll(async () => {
    moto = await startMoto();
    clients = { region: REGION, endpoint: moto.url };
    sqs = new SQSClient(clients);
  });
  afterAll(() => moto.stop());
  beforeEach(async () => {
    const name = `alerts-${++number}`;
    queueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl ?? '';
    queueArn = `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
  });

  const openHere = (type: string, options: object) =>
    open(type, options, { aws: { region: REGION, endpointUrl: moto.url } });
  async function received(url = queueUrl) {
    const { Messages: messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
      }),
    );
    return messages;
  }

  describe('sqs', () => {
    test.each([['name'], ['arn'], ['url']])('by its %s: the message as JSON, with attributes', async (how) => {
      const queue = { name: `alerts-${number}`, arn: queueArn, url: queueUrl }[how];
      expect(await outcome(await openHere('sqs', { queue }), alertMessage())).toBe('taken');
      const [message] = await received();
      expect(JSON.parse(message?.Body ?? '')).toMatchObject({ schema: 1, key: `${ALERT.id}-1`, alerts: [ALERT] });
      expect(
        Object.fromEntries(
          Object.entries(message?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]),
        ),
      ).toEqual({
        kind: 'alert',
        change: 'new',
        severity: 'critical',
        detector: 'trail-logging-stopped',
        account: '111122223333',
      });
    });

    test('a FIFO queue takes a key once', async () => {
      const fifo =
        (
          await sqs.send(
            new CreateQueueCommand({ QueueName: `alerts-${number}.fifo`, Attributes: { FifoQueue: 'true' } }),
          )
        ).QueueUrl ?? '';
      const sink = await openHere('sqs', { queue: fifo });
      for (const key of ['one', 'one', 'two']) expect(await outcome(sink, alertMessage({}, { key }))).toBe('taken');
      const messages = await received(fifo);
      expect(
        messages.map(({ Attributes }) => [Attributes?.MessageDeduplicationId, Attributes?.MessageGroupId]),
      ).toEqual([
        ['one', ALERT.id],
        ['two', ALERT.id],
      ]);
    });

    test('however large an alert is', async () => {
      expect(await outcome(await openHere('sqs', { queue: queueUrl }), huge())).toBe('taken');
      const [message] = await received();
      expect(Buffer.byteLength(message?.Body ?? '')).toBeLessThan(262_144);
      expect(JSON.parse(message?.Body ?? '')).toMatchObject({
        shortened: true,
        alerts: [{ id: ALERT.id, severity: 'critical' }],
      });
    });

    test('no such queue concerns all messages', async () => {
      expect(await outcome(await openHere('sqs', { queue: 'nowhere' }), alertMessage())).toMatch(
        /^sink: cannot send to the queue nowhere: (QueueDoesNotExist|.*NonExistentQueue)/,
      );
    });
  });

  describe('sns', () => {
    async function topic(attributes: Record<string, string> = {}) {
      const sns = new SNSClient(clients);
      const fifo = attributes['FifoTopic'] === 'true' ? '.fifo' : '';
      const arn =
        (await sns.send(new CreateTopicCommand({ Name: `alerts-${number}${fifo}`, Attributes: attributes })))
          .TopicArn ?? '';
      const subscribe = (policy: object | null) =>
        sns.send(
          new SubscribeCommand({
            TopicArn: arn,
            Protocol: 'sqs',
            Endpoint: queueArn,
            Attributes: { ...(policy !== null && { FilterPolicy: JSON.stringify(policy) }) },
          }),
        );
      return { arn, subscribe };
    }

    test('text with a subject, past a filter policy', async () => {
      const { arn, subscribe } = await topic();
      await subscribe({ severity: ['critical'], account: ['111122223333'], detector: [{ prefix: 'trail-' }] });
      const sink = await openHere('sns', { topic: arn });
      expect(await outcome(sink, alertMessage({ severity: 'low' }))).toBe('taken');
      expect(await outcome(sink, alertMessage({ title: 'Ünïcode\r\nBcc: x\u0000' }))).toBe('taken');
      const messages = await received();
      expect(messages).toHaveLength(1);
      const { Subject, Message: text } = JSON.parse(messages[0]?.Body ?? '') as { Subject: string; Message: string };
      expect(Subject).toBe('[trailhound] critical: ?n?code\\r\\nBcc: x\\x00');
      expect(text).toContain(`Alert       ${ALERT.id}`);
    });

    test('JSON', async () => {
      const { arn, subscribe } = await topic();
      await subscribe(null);
      expect(await outcome(await openHere('sns', { topic: arn, format: 'json' }), alertMessage())).toBe('taken');
      const { Message: text } = JSON.parse((await received())[0]?.Body ?? '') as { Message: string };
      expect(JSON.parse(text)).toMatchObject({ alerts: [ALERT] });
    });

    test('a FIFO topic', async () => {
      const { arn } = await topic({ FifoTopic: 'true' });
      expect(await outcome(await openHere('sns', { topic: arn }), alertMessage())).toBe('taken');
    });

    test.each(['text', 'json'])('however large an alert is, as %s', async (format) => {
      const { arn } = await topic();
      const sink = await openHere('sns', { topic: arn, format });
      expect(await outcome(sink, huge())).toBe('taken');
      const { Subject, Message: text } = JSON.parse(sink.render(huge())) as { Subject: string; Message: string };
      expect([Subject.length, /^[\x20-\x7e]+$/.test(Subject), Buffer.byteLength(text) <= 262_144]).toEqual([
        100,
        true,
        true,
      ]);
    });

    test('no such topic concerns all messages', async () => {
      const arn = `arn:aws:sns:${REGION}:${ACCOUNT}:nowhere`;
      expect(await outcome(await openHere('sns', { topic: arn }), alertMessage())).toMatch(
        /^sink: cannot publish to \S+nowhere: NotFound/,
      );
    });
  });

  describe('eventbridge', () => {
    test('an alert is the detail of an event that rules match', async () => {
      const events = new EventBridgeClient(clients);
      const bus = `alerts-${number}`;
      await events.send(new CreateEventBusCommand({ Name: bus }));
      const pattern = {
        source: ['trailhound'],
        'detail-type': ['Trailhound Alert'],
        detail: { severity: ['critical'] },
      };
      await events.send(
        new PutRuleCommand({ Name: 'critical', EventBusName: bus, EventPattern: JSON.stringify(pattern) }),
      );
      await events.send(
        new PutTargetsCommand({ Rule: 'critical', EventBusName: bus, Targets: [{ Id: 'queue', Arn: queueArn }] }),
      );
      const sink = await openHere('eventbridge', { bus });
      for (const message of [alertMessage(), alertMessage({ severity: 'low' }), plainMessage('test')])
        expect(await outcome(sink, message)).toBe('taken');
      const bodies = (await received()).map(({ Body }) => JSON.parse(Body ?? '') as object);
      expect(bodies).toEqual([
        expect.objectContaining({
          'detail-type': 'Trailhound Alert',
          detail: { ...ALERT, key: `${ALERT.id}-1`, change: 'new' },
          resources: [ALERT.principal_arn],
        }),
      ]);
    });

    test('however large an alert is', async () => {
      const sink = await openHere('eventbridge', {});
      expect(await outcome(sink, huge())).toBe('taken');
      expect(Buffer.byteLength(sink.render(huge()))).toBeLessThan(262_144 * 1.5);
      const { Detail } = JSON.parse(sink.render(huge())) as { Detail: string };
      expect(Buffer.byteLength(Detail)).toBeLessThanOrEqual(240_000);
    });

    test('no such bus concerns all messages', async () => {
      expect(await outcome(await openHere('eventbridge', { bus: 'nowhere' }), alertMessage())).toMatch(
        /^sink: cannot put an event on the bus nowhere: ResourceNotFoundException/,
      );
    });
  });

  describe('cloudwatch', () => {
    const at = new Date().toISOString();
    async function sums(namespace: string) {
      const cloudwatch = new CloudWatchClient(clients);
      const { Metrics: metrics = [] } = await cloudwatch.send(new ListMetricsCommand({ Namespace: namespace }));
      const found: Record<string, number> = {};
      for (const { MetricName, Dimensions = [] } of metrics) {
        const { Datapoints: points = [] } = await cloudwatch.send(
          new GetMetricStatisticsCommand({
            Namespace: namespace,
            MetricName,
            Dimensions,
            Statistics: ['Sum'],
            Period: 3600,
            StartTime: new Date(Date.parse(at) - 3_600_000),
            EndTime: new Date(Date.parse(at) + 3_600_000),
          }),
        );
        found[[MetricName, ...Dimensions.map(({ Name, Value }) => `${Name}=${Value}`)].join(' ')] = points.reduce(
          (sum, { Sum = 0 }) => sum + Sum,
          0,
        );
      }
      return found;
    }

    test('counts alerts as they open', async () => {
      const namespace = `Trailhound/${number}`;
      const sink = await openHere('cloudwatch', { namespace });
      const other = { ...ALERT, detector: 'root-console-login' };
      const messages = [
        alertMessage({}, { at }),
        alertMessage({}, { at, change: 'closed' }),
        alertMessage({}, { at, change: 'reopened' }),
        alertMessage({}, { at, kind: 'alerts', change: null, alerts: [ALERT, other], alertsTotal: 40 }),
        plainMessage('test', { at }),
        plainMessage('notice', { at }),
      ];
      for (const message of messages) expect(await outcome(sink, message)).toBe('taken');
      expect(await sums(namespace)).toEqual({
        // moto's statistics without dimensions take in those with some: the 4 below.
        Alerts: 42 + 4,
        'Alerts Detector=trail-logging-stopped Severity=critical': 3,
        'Alerts Detector=root-console-login Severity=critical': 1,
      });
    });
  });

  describe('securityhub', () => {
    test('an alert is a finding that is updated and archived', async () => {
      const hub = new SecurityHubClient(clients);
      await hub.send(new EnableSecurityHubCommand({}));
      const sink = await openHere('securityhub', { account: ACCOUNT });
      expect(await outcome(sink, alertMessage())).toBe('taken');
      expect(
        await outcome(
          sink,
          alertMessage({ status: 'closed', count: 9 }, { change: 'closed', at: '2026-03-03T00:00:00Z' }),
        ),
      ).toBe('taken');
      expect(await outcome(sink, plainMessage('test'))).toBe('taken');
      expect(await outcome(sink, huge())).toBe('taken');
      const { Findings: findings = [] } = await hub.send(new GetFindingsCommand({}));
      expect(findings.map(({ Id, RecordState }) => [Id, RecordState])).toEqual([
        [`trailhound/${ALERT.id}`, 'ACTIVE'],
        ['trailhound/test-1', 'ARCHIVED'],
      ]);
      expect(Buffer.byteLength(JSON.stringify(findings[0]))).toBeLessThan(240_000);
    });

    test('an update is later and tells the new state', async () => {
      const sink = await openHere('securityhub', { account: ACCOUNT });
      const [finding] = JSON.parse(
        sink.render(alertMessage({ status: 'withdrawn' }, { at: '2026-03-03T00:00:00Z' })),
      ) as Record<string, unknown>[];
      expect(finding).toMatchObject({
        Id: `trailhound/${ALERT.id}`,
        UpdatedAt: '2026-03-03T00:00:00Z',
        RecordState: 'ARCHIVED',
        AwsAccountId: ACCOUNT,
      });
      expect(finding?.['ProductArn']).toBe(`arn:aws:securityhub:${REGION}:${ACCOUNT}:product/${ACCOUNT}/default`);
    });
  });
});

describe('refusals', () => {
  let peer: HttpPeer;
  beforeAll(async () => {
    peer = await startHttpPeer();
  });
  afterAll(() => peer.close());

  const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:alerts`;
  const OPTIONS: Record<string, object> = {
    sns: { topic: TOPIC },
    sqs: { queue: `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/alerts` },
    eventbridge: {},
    securityhub: { account: ACCOUNT },
    cloudwatch: {},
  };
  const openThere = (type: string, endpointUrl = peer.url) =>
    open(type, OPTIONS[type], { aws: { region: REGION, endpointUrl } });
  const answer = (status: number, body: string, headers: Record<string, string> = {}) => {
    peer.answer = (response) => response.writeHead(status, headers).end(body);
  };
  const error = (status: number, code: string, message = 'because') =>
    answer(status, JSON.stringify({ __type: `com.amazonaws#${code}`, message, Message: message }), {
      'x-amzn-errortype': code,
      'content-type': 'application/x-amz-json-1.0',
    });

  test.each<[string, number, string, string]>([
    ['sqs', 400, 'InvalidMessageContents', 'message'],
    ['sqs', 400, 'InvalidParameterValue', 'message'],
    ['sqs', 400, 'ThrottlingException', 'sink'],
    ['sqs', 403, 'AccessDeniedException', 'sink'],
    ['sqs', 400, 'KMS.AccessDeniedException', 'sink'],
    ['sqs', 400, 'UnrecognizedClientException', 'sink'],
    ['sqs', 500, 'InternalFailure', 'sink'],
    ['sqs', 503, 'ServiceUnavailable', 'sink'],
    ['eventbridge', 400, 'ValidationException', 'message'],
    ['eventbridge', 400, 'AccessDeniedException', 'sink'],
    ['securityhub', 400, 'InvalidInputException', 'message'],
    ['securityhub', 401, 'InvalidAccessException', 'sink'],
    ['securityhub', 429, 'LimitExceededException', 'sink'],
  ])('%s: %i %s', async (type, status, code, about) => {
    error(status, code);
    const said = await outcome(await openThere(type), alertMessage());
    expect(said).toMatch(new RegExp(`^${about}: cannot .*: because$`));
  });

  test('a pace to keep', async () => {
    answer(429, '{"__type":"TooManyRequestsException","message":"slow down"}', { 'retry-after': '9' });
    expect(await outcome(await openThere('securityhub'), alertMessage())).toMatch(/^sink: .*\(after 9000 ms\)$/);
  });

  test('an event that was not taken, in an answer of 200', async () => {
    answer(
      200,
      '{"FailedEntryCount":1,"Entries":[{"ErrorCode":"MalformedDetail","ErrorMessage":"Detail is malformed."}]}',
    );
    expect(await outcome(await openThere('eventbridge'), alertMessage())).toBe(
      'message: cannot put an event on the bus default: MalformedDetail: Detail is malformed.',
    );
    answer(
      200,
      '{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException","ErrorMessage":"Rate exceeded"}]}',
    );
    expect(await outcome(await openThere('eventbridge'), alertMessage())).toMatch(/^sink: .*ThrottlingException/);
  });

  test('a finding that was not taken, in an answer of 200', async () => {
    answer(
      200,
      '{"FailedCount":1,"SuccessCount":0,"FailedFindings":[{"Id":"x","ErrorCode":"InvalidInput","ErrorMessage":"Title must not be empty"}]}',
    );
    expect(await outcome(await openThere('securityhub'), alertMessage())).toMatch(
      /^message: cannot import findings .*: InvalidInput: Title must not be empty$/,
    );
  });

  test.each(Object.keys(OPTIONS))('%s: nobody answers', async (type) => {
    expect(await outcome(await openThere(type, 'http://127.0.0.1:9'), alertMessage())).toMatch(
      /^sink: cannot .*ECONNREFUSED/,
    );
  });

  test.each(Object.keys(OPTIONS))('%s: a run that ends', async (type) => {
    peer.answer = () => undefined;
    const ending = new AbortController();
    const delivery = (await openThere(type)).deliver(alertMessage(), ending.signal);
    setTimeout(() => ending.abort(new Error('the run ends')), 200);
    await expect(delivery).rejects.toThrow('the run ends');
  });
});

test.each<[string, object, string]>([
  ['sns', { topic: 'alerts' }, 'topic: expected the ARN of a topic'],
  ['sns', { topic: `arn:aws:sns:eu-central-1:${ACCOUNT}:a`, format: 'html' }, "format: expected 'text' or 'json'"],
  ['sqs', { queue: 'a b' }, 'queue: expected the name, URL or ARN of a queue'],
  ['eventbridge', { bus: 'a b' }, 'bus: expected the name or ARN of an event bus'],
  ['cloudwatch', { namespace: 'AWS/EC2' }, 'namespace: expected a namespace that does not begin with AWS/'],
  ['securityhub', { account: 123456789012 }, 'account: expected 12 digits in quotes'],
  ['securityhub', {}, 'account: missing'],
  [
    'sns',
    { topics: [] },
    'topic: missing\ntopics: unknown key: expected one of topic, format, region, profile, role_arn, external_id',
  ],
  [
    'kafka',
    {},
    'type: expected one of stdout, file, exec, webhook, slack, email, pagerduty, sns, sqs, eventbridge, securityhub, cloudwatch.',
  ],
  [
    'webhok',
    {},
    "type: expected one of stdout, file, exec, webhook, slack, email, pagerduty, sns, sqs, eventbridge, securityhub, cloudwatch. Did you mean 'webhook'?",
  ],
])('%s %j is refused', (type, options, problem) => {
  expect(
    checkSinkOptions(type, options)
      .map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('\n'),
  ).toBe(problem);
});
