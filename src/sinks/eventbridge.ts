/** A bus of EventBridge: an alert is the detail of an event, so that rules can match its members. */
import { z } from 'zod';
import { json, shown } from '../printable.ts';
import type { Message, MessageKind, Sink } from '../sink.ts';
import { arnRegion, awsConfig, awsOptions, entryFailure, sending } from './aws.ts';
import { fittedJson, messageObject } from './json.ts';
import { sinkType } from './kind.ts';
import { text } from './options.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html: 256 KiB for the entry; the rest of it takes less than the difference. */
const DETAIL_MAX_BYTES = 240_000;
const RESOURCE_MAX = 2048;

const DETAIL_TYPE: Readonly<Record<MessageKind, string>> = {
  alert: 'Trailhound Alert',
  alerts: 'Trailhound Alerts',
  past: 'Trailhound Past Alerts',
  report: 'Trailhound Report',
  notice: 'Trailhound Notice',
  test: 'Trailhound Test',
};

const options = z.strictObject(
  {
    bus: text
      .regex(
        /^(?:arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/)?[A-Za-z0-9_./-]{1,256}$/u,
        'expected the name or ARN of an event bus',
      )
      .describe('Name or ARN of the bus.')
      .default('default'),
    ...awsOptions,
  },
  'expected a mapping',
);

export const eventbridge = sinkType(options, async (given, context): Promise<Sink> => {
  const { bus } = given;
  const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge');
  const client = new EventBridgeClient(await awsConfig(given, context, arnRegion(bus)));
  const doing = `put an event on the bus ${bus}`;
  return {
    deliver: async (message, signal) => {
      const entry = { ...entryOf(message, bus), Time: new Date(message.at) };
      const { FailedEntryCount: failed = 0, Entries: entries = [] } = await sending(doing, signal, () =>
        client.send(new PutEventsCommand({ Entries: [entry] }), { abortSignal: signal }),
      );
      if (failed > 0) throw entryFailure(entries[0]?.ErrorCode, entries[0]?.ErrorMessage, doing);
      return null;
    },
    render: (message) => json(entryOf(message, bus), 2),
    close: async () => client.destroy(),
  };
});

function entryOf(message: Message, bus: string) {
  const { key, kind, change, alerts } = message;
  const [alert] = alerts;
  const arn = alert?.principal_arn ?? '';
  return {
    EventBusName: bus,
    Source: 'trailhound',
    DetailType: DETAIL_TYPE[kind],
    Resources: kind === 'alert' && arn.startsWith('arn:') ? [shown(arn, RESOURCE_MAX)] : [],
    Detail: fittedJson(
      kind === 'alert' && alert !== undefined ? { ...alert, key, change } : messageObject(message),
      DETAIL_MAX_BYTES,
    ),
  };
}
