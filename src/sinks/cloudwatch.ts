/** A metric of CloudWatch that counts alerts, so that alarms need nothing of trailhound but a number. */
import { z } from 'zod';
import type { Alert } from '../alert.ts';
import { json } from '../printable.ts';
import type { Message, Sink } from '../sink.ts';
import { awsConfig, awsOptions, sending } from './aws.ts';
import { sinkType } from './kind.ts';
import { text } from './options.ts';

const METRIC = 'Alerts';

const options = z.strictObject(
  {
    namespace: text
      .regex(/^(?!AWS\/)[A-Za-z0-9_./#: -]{1,255}$/u, 'expected a namespace that does not begin with AWS/')
      .describe('Namespace of the metric.')
      .default('Trailhound'),
    ...awsOptions,
  },
  'expected a mapping',
);

interface Datum {
  readonly MetricName: string;
  readonly Unit: 'Count';
  readonly Value: number;
  readonly Dimensions?: { readonly Name: string; readonly Value: string }[];
}

export const cloudwatch = sinkType(options, async (given, context): Promise<Sink> => {
  const { namespace } = given;
  const { CloudWatchClient, PutMetricDataCommand } = await import('@aws-sdk/client-cloudwatch');
  const client = new CloudWatchClient(await awsConfig(given, context));
  return {
    deliver: async (message, signal) => {
      const data = dataOf(message);
      if (data.length === 0) return null;
      const at = new Date(message.at);
      const MetricData = data.map((datum) => ({ ...datum, Dimensions: datum.Dimensions ?? [], Timestamp: at }));
      await sending(`put the metric ${METRIC} into ${namespace}`, signal, () =>
        client.send(new PutMetricDataCommand({ Namespace: namespace, MetricData }), { abortSignal: signal }),
      );
      return null;
    },
    render: (message) => {
      const data = dataOf(message);
      return data.length === 0
        ? 'nothing: only new and reopened alerts are counted'
        : json({ Namespace: namespace, MetricData: data }, 2);
    },
    close: async () => client.destroy(),
  };
});

/** Alerts are counted when they open, not when they change; a trial counts as none and still shows that the metric can be written. */
function dataOf({ kind, change, alerts, alertsTotal }: Message): Datum[] {
  const all = (value: number): Datum => ({ MetricName: METRIC, Unit: 'Count', Value: value });
  if (kind === 'test') return [all(0)];
  const isOpening = kind === 'alerts' || (kind === 'alert' && (change === 'new' || change === 'reopened'));
  if (!isOpening || alertsTotal === 0) return [];
  return [all(alertsTotal), ...countsOf(alerts)];
}

/** One for each detector and severity. */
function countsOf(alerts: readonly Alert[]): Datum[] {
  const counts = new Map<string, Datum>();
  for (const { detector, severity } of alerts) {
    const key = `${detector} ${severity}`;
    const before = counts.get(key)?.Value ?? 0;
    counts.set(key, {
      MetricName: METRIC,
      Unit: 'Count',
      Value: before + 1,
      Dimensions: [
        { Name: 'Detector', Value: ascii(detector) },
        { Name: 'Severity', Value: severity },
      ],
    });
  }
  return [...counts.values()];
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html: ASCII, 1024 characters, not empty, not beginning with a colon. */
function ascii(value: string): string {
  return value.slice(0, 1024).replaceAll(/[^\u0021-\u007e]|^:/gu, '?') || '?';
}
