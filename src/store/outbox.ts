/** The outbox as rows of the catalog. A message is kept beside its delivery for as long as it may still be sent. */
import type { Delivery, DeliveryRow, DeliveryState, NewDelivery, Outbox } from '../outbox.ts';
import type { Message } from '../sink.ts';
import { listChanges } from './alerts.ts';
import type { Catalog, CatalogRow, CatalogSession } from './catalog.ts';
import { DELIVERY } from './catalog-tables.ts';
import { appendRows, columnTypes, fromJson, isoOrNull, num, sqlTime, text, textOrNull, timeOrNull } from './rows.ts';
import { getState, setState } from './watch-state.ts';

const ROUTED = 'routed_seq';
/** Of deliveries that are settled; what was told of an alert is known from the alert then. */
const KEPT_DAYS = 400;

export function catalogOutbox(catalog: Catalog): Outbox {
  return {
    changes: (afterSeq, limit) => catalog.read((session) => listChanges(session, { afterSeq, limit })),
    told: (alertIds) =>
      catalog.read(async (session) => {
        const rows = await session.rows(
          `SELECT DISTINCT sink, alert_id FROM delivery WHERE alert_id IN (SELECT unnest(from_json($ids, '["VARCHAR"]')))`,
          { ids: JSON.stringify(alertIds) },
        );
        return new Set(rows.map((row) => `${text(row['sink'])}/${text(row['alert_id'])}`));
      }),
    queue: (deliveries, routedSeq) =>
      catalog.write(async (session) => {
        await insertDeliveries(session, deliveries);
        if (routedSeq !== null) await setState(session, ROUTED, String(routedSeq));
      }),
    routedSeq: () => catalog.read(async (session) => Number((await getState(session, ROUTED)) ?? 0)),
    due: (sink, nowMs, limit) => catalog.read((session) => dueDeliveries(session, sink, nowMs, limit)),
    nextDueMs: (sink) =>
      catalog.read(async (session) => {
        const [row] = await session.rows(
          `SELECT min(next_at) AS next_at FROM delivery WHERE sink = $sink AND state = 'pending'`,
          { sink },
        );
        return timeOrNull(row?.['next_at']);
      }),
    settle: (outcomes, nowMs) =>
      catalog.write(async (session) => {
        if (outcomes.length === 0) return;
        const rows = outcomes.map(({ id, state, attempts, nextAtMs, error, reference }) => ({
          id,
          state,
          attempts,
          next_at: sqlTime(nextAtMs),
          error,
          reference,
        }));
        const settled = fromJson('rows', {
          id: 'BIGINT',
          state: 'VARCHAR',
          attempts: 'BIGINT',
          next_at: 'TIMESTAMP',
          error: 'VARCHAR',
          reference: 'VARCHAR',
        });
        const params = { rows: JSON.stringify(rows), now: sqlTime(nowMs) };
        await session.run(
          `UPDATE delivery SET state = settled.state, attempts = settled.attempts, next_at = settled.next_at, error = settled.error,
            reference = coalesce(settled.reference, delivery.reference),
            settled_at = CASE WHEN settled.state = 'pending' THEN NULL ELSE CAST($now AS TIMESTAMP) END
          FROM ${settled} AS settled WHERE delivery.id = settled.id`,
          params,
        );
        await session.run(
          `DELETE FROM delivery_message WHERE id IN (SELECT id FROM ${settled} WHERE state IN ('delivered', 'dry'))`,
          { rows: JSON.stringify(rows) },
        );
        await session.run(
          `DELETE FROM delivery WHERE state IN ('delivered', 'grouped', 'dry') AND settled_at < CAST($now AS TIMESTAMP) - INTERVAL ${KEPT_DAYS} DAY`,
          { now: params.now },
        );
      }),
    group: (ids, delivery) =>
      catalog.write(async (session) => {
        const params = { ids: JSON.stringify(ids), now: sqlTime(Date.parse(delivery.message.at)) };
        const chosen = `(SELECT unnest(from_json($ids, '["BIGINT"]')))`;
        await session.run(
          `UPDATE delivery SET state = 'grouped', next_at = NULL, settled_at = CAST($now AS TIMESTAMP) WHERE id IN ${chosen}`,
          params,
        );
        await session.run(`DELETE FROM delivery_message WHERE id IN ${chosen}`, { ids: params.ids });
        await insertDeliveries(session, [delivery]);
      }),
    list: ({ sink, states, alertId, limit }) =>
      catalog.read(async (session) => {
        const rows = await session.rows(
          `SELECT * FROM delivery WHERE ($sink IS NULL OR sink = $sink) AND ($alert IS NULL OR alert_id = $alert)
            AND ($states IS NULL OR state IN (SELECT unnest(from_json($states, '["VARCHAR"]')))) ORDER BY id DESC LIMIT ${Math.trunc(limit)}`,
          {
            sink: sink ?? null,
            alert: alertId ?? null,
            states: states === undefined ? null : JSON.stringify(states),
          },
        );
        return rows.map(rowOf);
      }),
    resend: ({ sink, ids }, nowMs) =>
      catalog.write(async (session) => {
        const rows = await session.rows(
          `UPDATE delivery SET state = 'pending', attempts = 0, next_at = CAST($now AS TIMESTAMP), settled_at = NULL, created_at = CAST($now AS TIMESTAMP)
          WHERE state = 'dead' AND ($sink IS NULL OR sink = $sink) AND ($ids IS NULL OR id IN (SELECT unnest(from_json($ids, '["BIGINT"]')))) RETURNING id`,
          { sink: sink ?? null, ids: ids === undefined ? null : JSON.stringify(ids), now: sqlTime(nowMs) },
        );
        return rows.length;
      }),
    counts: () =>
      catalog.read(async (session) => {
        const rows = await session.rows(
          'SELECT sink, state, count(*) AS count, min(created_at) AS oldest FROM delivery GROUP BY sink, state ORDER BY sink, state',
        );
        return rows.map((row) => ({
          sink: text(row['sink']),
          state: text(row['state']) as DeliveryState,
          count: num(row['count']),
          oldest: isoOrNull(row['oldest']) ?? '',
        }));
      }),
  };
}

async function insertDeliveries(session: CatalogSession, deliveries: readonly NewDelivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  const keys = deliveries.map(({ sink, message }) => ({ sink, key: message.key }));
  const there = await session.rows(
    `SELECT sink, key FROM delivery SEMI JOIN ${fromJson('keys', { sink: 'VARCHAR', key: 'VARCHAR' })} USING (sink, key)`,
    { keys: JSON.stringify(keys) },
  );
  const known = new Set(there.map((row) => JSON.stringify([text(row['sink']), text(row['key'])])));
  const fresh = deliveries.filter(({ sink, message }) => !known.has(JSON.stringify([sink, message.key])));
  const [last] = await session.rows('SELECT coalesce(max(id), 0) AS id FROM delivery');
  const first = num(last?.['id']) + 1;
  await appendRows(
    session.connection,
    DELIVERY.name,
    columnTypes(DELIVERY),
    fresh.map(({ sink, alertId, message: { key, kind, title, at: written } }, at) => [
      first + at,
      sink,
      key,
      kind,
      title,
      alertId,
      'pending',
      0,
      Date.parse(written),
      Date.parse(written),
      null,
      null,
      null,
    ]),
  );
  await appendRows(
    session.connection,
    'delivery_message',
    ['BIGINT', 'VARCHAR'],
    fresh.map(({ message }, at) => [first + at, JSON.stringify(message)]),
  );
}

async function dueDeliveries(session: CatalogSession, sink: string, nowMs: number, limit: number): Promise<Delivery[]> {
  const rows = await session.rows(
    `SELECT delivery.*, message, (SELECT first(told.reference ORDER BY told.id) FROM delivery AS told
      WHERE told.sink = delivery.sink AND told.alert_id = delivery.alert_id AND told.reference IS NOT NULL) AS thread
    FROM (
      SELECT *, row_number() OVER (PARTITION BY coalesce(alert_id, key) ORDER BY id) AS turn FROM delivery WHERE sink = $sink AND state = 'pending'
    ) AS delivery JOIN delivery_message ON delivery_message.id = delivery.id
    WHERE turn = 1 AND next_at <= CAST($now AS TIMESTAMP) ORDER BY delivery.id LIMIT ${Math.trunc(limit)}`,
    { sink, now: sqlTime(nowMs) },
  );
  return rows.map((row) => ({
    id: num(row['id']),
    sink,
    alertId: textOrNull(row['alert_id']),
    message: JSON.parse(text(row['message'])) as Omit<Message, 'reference'>,
    attempts: num(row['attempts']),
    createdAtMs: timeOrNull(row['created_at']) ?? nowMs,
    reference: textOrNull(row['thread']),
  }));
}

const rowOf = (row: CatalogRow): DeliveryRow => ({
  id: num(row['id']),
  sink: text(row['sink']),
  key: text(row['key']),
  kind: text(row['kind']),
  title: text(row['title']),
  alert_id: textOrNull(row['alert_id']),
  state: text(row['state']) as DeliveryState,
  attempts: num(row['attempts']),
  created_at: isoOrNull(row['created_at']) ?? '',
  next_at: isoOrNull(row['next_at']),
  settled_at: isoOrNull(row['settled_at']),
  error: textOrNull(row['error']),
});
