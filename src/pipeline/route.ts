/** Routing: which destinations are told of a change. Nothing is sent here; messages are queued in the store. */
import { type AlertChange, SEVERITIES, type Severity } from '../alert.ts';
import type { NewDelivery } from '../outbox.ts';
import type { Store } from '../store.ts';
import { alertMessage } from './messages.ts';

/** What a destination wants to be told of, and how fast. */
export interface SinkRules {
  readonly id: string;
  readonly minSeverity: Severity;
  /** Null for all. */
  readonly detectors: readonly string[] | null;
  readonly accounts: readonly string[] | null;
  /** Also of what happens to an alert that it was told of. */
  readonly updates: boolean;
  /** Also of what is no alert: the past, reports, words on trailhound itself. */
  readonly notices: boolean;
  readonly groupBy: 'none' | 'detector' | 'account';
  /** So many messages within so long; null: as many as there are. */
  readonly rate: { readonly messages: number; readonly perMs: number } | null;
  /** Nothing is sent: what would be is logged. */
  readonly dryRun: boolean;
  readonly giveUpAfterMs: number;
}

const PAGE = 1000;

/** Considers every change since the last time. `sinceMs`: from when on people are told of what a detector finds. Returns how many messages were queued. */
export async function routeChanges(
  { outbox }: Pick<Store, 'outbox'>,
  sinks: readonly SinkRules[],
  sinceMs: (detector: string) => number,
  nowMs: number,
): Promise<number> {
  let queued = 0;
  for (;;) {
    const changes = await outbox.changes(await outbox.routedSeq(), PAGE);
    const last = changes.at(-1);
    if (last === undefined) return queued;
    const told = new Set(await outbox.told([...new Set(changes.map(({ alert }) => alert.id))]));
    const deliveries: NewDelivery[] = [];
    for (const change of changes) {
      const isPast = Date.parse(change.alert.last_seen) < sinceMs(change.alert.detector);
      for (const rules of sinks) {
        const mark = `${rules.id}/${change.alert.id}`;
        if (!(told.has(mark) ? rules.updates : isFirst(change, isPast) && matches(change, rules))) continue;
        told.add(mark);
        deliveries.push({ sink: rules.id, alertId: change.alert.id, message: alertMessage(change, nowMs) });
      }
    }
    await outbox.queue(deliveries, last.seq);
    queued += deliveries.length;
  }
}

/** Something happened that a destination can be told of first. What is suppressed or gone by now is nothing to begin with. */
const isFirst = ({ change, alert }: AlertChange, isPast: boolean): boolean =>
  !isPast &&
  ['new', 'grown', 'reopened'].includes(change) &&
  (alert.status === 'open' || alert.status === 'acknowledged');

function matches({ alert }: AlertChange, { minSeverity, detectors, accounts }: SinkRules): boolean {
  return (
    SEVERITIES.indexOf(alert.severity) >= SEVERITIES.indexOf(minSeverity) &&
    (detectors === null || detectors.includes(alert.detector)) &&
    (accounts === null || alert.accounts.some((account) => accounts.includes(account)))
  );
}
