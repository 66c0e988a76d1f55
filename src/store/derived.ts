/** Incidents and ranks as relations for SQL: made of the alerts as they are at this moment, so that they can never lag behind them. */
import type { Alert, AlertOutline } from '../alert.ts';
import { type Incident, incidentsOf } from '../incident.ts';
import { ranksOf } from '../rank.ts';
import type { AlertFilter, CatalogTable } from '../store.ts';
import { alertOutlines, alertsOf, idsOf } from './alerts.ts';
import type { CatalogSession } from './catalog.ts';
import { ALERT_RANK, createStatement, INCIDENT } from './catalog-tables.ts';
import { fromJson, piecesOf, sqlTime } from './rows.ts';

const incidentRow = (incident: Incident): object => ({
  ...incident,
  first_seen: sqlTime(Date.parse(incident.first_seen)),
  last_seen: sqlTime(Date.parse(incident.last_seen)),
});

const ROWS = new Map<CatalogTable, (alerts: readonly AlertOutline[]) => readonly object[]>([
  [INCIDENT, (alerts) => incidentsOf(alerts).map(incidentRow)],
  [ALERT_RANK, ranksOf],
]);

/** One that is made of the alerts becomes a temporary table of this connection, which a catalog that is open for reading takes as well; of any other there is nothing to make. */
export async function makeDerived(session: CatalogSession, table: CatalogTable): Promise<void> {
  const rowsOf = ROWS.get(table);
  if (rowsOf === undefined) return;
  const rows = rowsOf(await alertOutlines(session));
  const types = Object.fromEntries(table.columns.map(({ name, type }) => [name, type]));
  await session.run(createStatement(table).replace('CREATE TABLE IF NOT EXISTS', 'CREATE OR REPLACE TEMPORARY TABLE'));
  for (const piece of piecesOf(rows)) {
    await session.run(`INSERT INTO ${table.name} BY NAME SELECT * FROM ${fromJson('rows', types)}`, {
      rows: JSON.stringify(piece),
    });
  }
}

/** The weightiest first: among all alerts, whatever is asked for, since a rank is what it is. */
export async function alertsByRank(session: CatalogSession, filter: AlertFilter): Promise<Alert[]> {
  const wanted = await idsOf(session, filter);
  const ids = ranksOf(await alertOutlines(session))
    .map(({ alert_id }) => alert_id)
    .filter((id) => wanted.has(id));
  return alertsOf(session, filter.limit === undefined ? ids : ids.slice(0, filter.limit));
}
