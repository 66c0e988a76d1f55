/** What became of an alert: its changes, its deliveries, the suppression that covers it, the incident that it belongs to, and its rank. */
import type { Alert, AlertChange } from '../alert.ts';
import { type Incident, incidentsOf } from '../incident.ts';
import type { DeliveryRow } from '../outbox.ts';
import { type Rank, ranksOf } from '../rank.ts';
import type { Store } from '../store.ts';
import type { Run } from './command.ts';
import { type ListedSuppression, listSuppressions } from './suppressions.ts';

/** Property order is the order of printing. */
export interface AlertLife {
  /** Its place, of how many alerts, and why. */
  readonly rank: Omit<Rank, 'alert_id'> & { readonly of: number };
  readonly incident: Pick<Incident, 'id' | 'severity' | 'status' | 'story' | 'alerts'> | null;
  /** Of one that is gone the id alone. */
  readonly suppression: ListedSuppression | { readonly id: ListedSuppression['id'] } | null;
  readonly history: readonly Pick<AlertChange, 'change' | 'at' | 'by' | 'why' | 'count'>[];
  /** Newest first. */
  readonly deliveries: readonly DeliveryRow[];
}

const DELIVERIES_SHOWN = 100;

export async function lifeOf(store: Store, alert: Alert, run: Run<unknown>): Promise<AlertLife> {
  const [history, deliveries, alerts, suppressions] = await Promise.all([
    store.alertHistory(alert.id),
    store.outbox.list({ alertId: alert.id, limit: DELIVERIES_SHOWN }),
    store.alertOutlines(),
    alert.suppressed_by === null ? [] : listSuppressions(store, run),
  ]);
  const incident = incidentsOf(alerts).find(({ alert_ids }) => alert_ids.includes(alert.id));
  const ranks = ranksOf(alerts);
  const rank = ranks.find(({ alert_id }) => alert_id === alert.id);
  if (rank === undefined) throw new Error(`the alert ${alert.id} has no rank`);
  const { alert_id: _, ...reasons } = rank;
  const by = alert.suppressed_by;
  return {
    rank: { ...reasons, of: ranks.length },
    incident:
      incident === undefined
        ? null
        : {
            id: incident.id,
            severity: incident.severity,
            status: incident.status,
            story: incident.story,
            alerts: incident.alerts,
          },
    suppression: by === null ? null : (suppressions.find(({ id }) => String(id) === by) ?? { id: by }),
    history: history.map(({ change, at, by: who, why, count }) => ({ change, at, by: who, why, count })),
    deliveries,
  };
}
