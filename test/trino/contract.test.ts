/** Trino behind the contract of every backend, so that what the other tests compare is what a backend promises. */
import { describe } from 'vitest';
import type { Table } from '../../src/table.ts';
import { BAD, backendContract, VISITS } from '../contracts/backend.ts';
import { TrinoBackend } from './client.ts';
import { openTrino, trinoAtHand } from './engines.ts';

const text = (value: string | null): string => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);

async function open(): Promise<TrinoBackend> {
  const schema = `memory.contract_${process.pid}`;
  const trino = openTrino();
  await trino.run(`CREATE SCHEMA ${schema}`);
  const rows = VISITS.map(({ event_id, event_time, principal, bytes, ok, tags, detail }) =>
    [
      text(event_id),
      `TIMESTAMP '${event_time.replace('T', ' ').replace('Z', '')}'`,
      text(principal),
      String(bytes ?? 'NULL'),
      String(ok ?? 'NULL'),
      tags === null ? 'NULL' : `ARRAY[${tags.map(text).join(', ')}]`,
      text(detail),
      `DATE '${event_time.slice(0, 10)}'`,
    ].join(', '),
  );
  await trino.run(`CREATE TABLE ${schema}.visit (event_id varchar, event_time timestamp(3), principal varchar, bytes bigint, ok boolean,
    tags array(varchar), detail varchar, event_date date)`);
  await trino.run(`INSERT INTO ${schema}.visit VALUES ${rows.map((row) => `(${row})`).join(', ')}`);
  await trino.run(`CREATE TABLE ${schema}.ghost AS SELECT * FROM ${schema}.visit WHERE false`);
  const relations = ['visit', 'ghost'].map((name) => ({
    table: { name } as Table,
    relation: `${schema}.${name}`,
    prune: () => null,
  }));
  return trino.over({ relations, lists: [{ name: 'bad', values: BAD }] });
}

describe.skipIf(trinoAtHand === null)('a real engine', () => {
  backendContract({ name: 'Trino', open });
});
