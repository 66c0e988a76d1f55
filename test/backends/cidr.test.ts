/** Every comparison with networks, IPv4 and IPv6 however they are written, against one that goes bit by bit. */
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import { createDuckdbBackend } from '../../src/backends/duckdb.ts';
import { conditionSql, parseCondition } from '../../src/detection/condition.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { contains, parseAddress, parseNetwork } from '../../src/network.ts';
import { liesIn, pairsOf } from '../support/networks.ts';

const SEED = Number(process.env['TRAILHOUND_CIDR_SEED'] ?? 20_261);
const pairs = pairsOf(SEED, 800);

let backend: Backend;
beforeAll(async () => {
  backend = await createDuckdbBackend({
    tables: [],
    portable: true,
    locked: false,
    memoryLimitMb: 512,
    threads: 2,
    tempDirectory: tmpdir(),
  });
});
afterAll(() => backend.close());

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const VALUES = `(VALUES ${pairs.map(([net, address], at) => `(${at}, ${literal(net)}, ${literal(address)})`).join(', ')}) AS pair (n, net, source_ip)`;

test(`there is something to tell apart (seed ${SEED})`, () => {
  const verdicts = pairs.map(([network, address]) => liesIn(network, address));
  for (const verdict of [true, false, null])
    expect(verdicts.filter((one) => one === verdict).length).toBeGreaterThan(30);
});

test('cidr_match of the portable SQL', async () => {
  const { rows } = await backend.query(`SELECT cidr_match(net, source_ip) AS lies FROM ${VALUES} ORDER BY n`);
  const wrong = pairs.filter(([network, address], at) => rows[at]?.['lies'] !== liesIn(network, address));
  expect(wrong).toEqual([]);
});

test('addresses and networks as suppressions, lists and enrichment read them', () => {
  const wrong = pairs.filter(([network, address]) => {
    const [net, where] = [parseNetwork(network), parseAddress(address)];
    return (net === null || where === null ? null : contains(net, where)) !== liesIn(network, address);
  });
  expect(wrong).toEqual([]);
});

test.each(['cidr', 'list'] as const)('the operator %s of a condition', async (operator) => {
  const networks = [...new Set(pairs.map(([network]) => network))].slice(0, 12);
  const tests = networks.map((network, at) => {
    const condition = operator === 'cidr' ? { source_ip: { cidr: network } } : { source_ip: { list: 'nets' } };
    const context = { detector: 'test', table: cloudtrailTable, parameters: {}, lists: { nets: [network] } };
    return `${conditionSql(parseCondition(condition, context))} AS c${at}`;
  });
  const { rows } = await backend.query(`SELECT ${tests.join(', ')} FROM ${VALUES} ORDER BY n`);
  const wrong = networks.flatMap((network, at) =>
    pairs
      .filter(([, address], row) => rows[row]?.[`c${at}`] !== (liesIn(network, address) ?? false))
      .map(([, address]) => [network, address]),
  );
  expect(wrong).toEqual([]);
});

test('an address of a list is found whatever its case', async () => {
  const context = {
    detector: 'test',
    table: cloudtrailTable,
    parameters: {},
    lists: { bad: ['2001:db8::1', '192.0.2.1'] },
  };
  const sql = conditionSql(parseCondition({ source_ip: { list: 'bad' } }, context));
  const { rows } = await backend.query(
    `SELECT ${sql} AS hit FROM (VALUES (1, '2001:DB8::1'), (2, '2001:db8::1'), (3, '192.0.2.1'), (4, '2001:db8::2')) AS event (n, source_ip) ORDER BY n`,
  );
  expect(rows.map(({ hit }) => hit)).toEqual([true, true, true, false]);
});
