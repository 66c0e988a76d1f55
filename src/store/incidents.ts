/** Incidents as a relation for SQL: made of the alerts as they are at this moment, so that it can never lag behind them. */
import { type Incident, incidentsOf } from '../incident.ts';
import { listAlerts } from './alerts.ts';
import type { CatalogSession } from './catalog.ts';
import { createStatement, INCIDENT } from './catalog-tables.ts';
import { fromJson, sqlTime } from './rows.ts';

const ROW = Object.fromEntries(INCIDENT.columns.map(({ name, type }) => [name, type]));

const rowOf = (incident: Incident): object => ({
  ...incident,
  first_seen: sqlTime(Date.parse(incident.first_seen)),
  last_seen: sqlTime(Date.parse(incident.last_seen)),
});

/** The relation `incident` of this connection: a temporary table, which a catalog that is open for reading takes as well. */
export async function makeIncidents(session: CatalogSession): Promise<void> {
  const rows = incidentsOf(await listAlerts(session, {})).map(rowOf);
  await session.run(
    createStatement(INCIDENT).replace('CREATE TABLE IF NOT EXISTS', 'CREATE OR REPLACE TEMPORARY TABLE'),
  );
  await session.run(`INSERT INTO ${INCIDENT.name} BY NAME SELECT * FROM ${fromJson('rows', ROW)}`, {
    rows: JSON.stringify(rows),
  });
}
