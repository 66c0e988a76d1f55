/** PagerDuty by Events API v2: an alert is one incident there, opened, acknowledged and resolved with it. https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ */
import { z } from 'zod';
import type { Severity } from '../alert.ts';
import { cut, json, shown } from '../printable.ts';
import { readSecret } from '../secret-value.ts';
import { DeliveryError, type Message, type Sink } from '../sink.ts';
import { SECOND_MS } from '../time.ts';
import { openEndpoint, send, urlProblem } from './http.ts';
import { fittedJson, messageObject } from './json.ts';
import { sinkType } from './kind.ts';
import { flag, secretPlace, text, timeout } from './options.ts';
import { headline } from './text.ts';

const TIMEOUT_MS = 30 * SECOND_MS;
/** https://developer.pagerduty.com/docs/events-api-v2-overview: an event has 512 KB at most; the rest is for what is not the message. */
const DETAILS_MAX_BYTES = 400_000;
const SUMMARY_MAX = 1024;
const FIELD_MAX = 255;
/** The hosts of the service regions US and EU are `events.pagerduty.com` and `events.eu.pagerduty.com`. */
const ENDPOINT = 'https://events.pagerduty.com/v2/enqueue';

const SEVERITY: Readonly<Record<Severity, string>> = {
  critical: 'critical',
  high: 'error',
  medium: 'warning',
  low: 'info',
  informational: 'info',
};

const options = z
  .strictObject(
    {
      routing_key: secretPlace.describe('Integration key of a service (Events API v2).'),
      endpoint: text.describe('Another address, such as https://events.eu.pagerduty.com/v2/enqueue.').default(ENDPOINT),
      timeout: timeout.default(TIMEOUT_MS),
      allow_private: flag.describe('Lets the endpoint be one of a private network, or plain http.').default(false),
    },
    'expected a mapping',
  )
  .superRefine(({ endpoint, allow_private: allowPrivate }, context) => {
    const problem = urlProblem(endpoint, allowPrivate);
    if (problem !== null) context.addIssue({ code: 'custom', path: ['endpoint'], message: problem });
  });

export const pagerduty = sinkType(options, async (given, context): Promise<Sink> => {
  const key = readSecret(given.routing_key, context.dir);
  const endpoint = openEndpoint(given.endpoint, { ...context, allowPrivate: given.allow_private });
  return {
    deliver: async (message, signal) => {
      const body = json({ routing_key: key.reveal(), ...eventOf(message) });
      try {
        await send(
          endpoint,
          { method: 'POST', headers: { 'content-type': 'application/json' }, body, timeoutMs: given.timeout },
          signal,
        );
      } catch (error) {
        // A key that it does not know is answered like a field that is wrong.
        if (error instanceof DeliveryError && error.about === 'message' && /routing.?key/iu.test(error.message))
          throw new DeliveryError('sink', error.message);
        throw error;
      }
      return null;
    },
    render: (message) => json({ routing_key: key, ...eventOf(message) }, 2),
    close: async () => {},
  };
});

function eventOf(message: Message): Record<string, unknown> {
  const { key, severity, at, alerts, alertsTotal } = message;
  const [alert] = alertsTotal === 1 ? alerts : [];
  const action = actionOf(message);
  const identity = { event_action: action, dedup_key: cut(alert?.id ?? key, FIELD_MAX) };
  if (action !== 'trigger') return identity;
  return {
    ...identity,
    client: 'trailhound',
    payload: {
      summary: cut(headline(message), SUMMARY_MAX),
      source: shown(alert?.account_id ?? 'trailhound', FIELD_MAX) || 'trailhound',
      severity: SEVERITY[severity],
      timestamp: at,
      class: shown(alert?.detector ?? message.kind, FIELD_MAX),
      ...(alert?.region !== null && alert?.region !== undefined && { group: shown(alert.region, FIELD_MAX) }),
      custom_details: JSON.parse(fittedJson(messageObject(message), DETAILS_MAX_BYTES)) as unknown,
    },
  };
}

function actionOf({ change }: Message): 'trigger' | 'acknowledge' | 'resolve' {
  switch (change) {
    case 'acknowledged':
      return 'acknowledge';
    case 'closed':
    case 'suppressed':
    case 'withdrawn':
      return 'resolve';
    case 'new':
    case 'grown':
    case 'reopened':
    case null:
      return 'trigger';
  }
}
