/** Every detector over the records of all examples, through the same planner on DuckDB and on Trino: the same findings, to the last id and piece of evidence. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TABLES } from '../../src/cli/wire.ts';
import { createEngine } from '../../src/detection/planner.ts';
import { type Detector, parameterValues } from '../../src/detector.ts';
import type { HuntTaskResult } from '../../src/hunt.ts';
import { DAY_MS } from '../../src/time.ts';
import { type Engines, openEngines, sortedRows, trinoAtHand } from './engines.ts';
import { exampleKnowledge, exampleRecords, loadDetectors, openRecordStore, type RecordStore } from './examples.ts';

const detectors = await loadDetectors();

describe.skipIf(trinoAtHand === null)('the catalogue', () => {
  let store: RecordStore;
  let engines: Engines;
  beforeAll(async () => {
    store = await openRecordStore(exampleRecords(detectors));
    engines = await openEngines('detectors', store.tables, [], exampleKnowledge(detectors));
  });
  afterAll(async () => {
    await engines.close();
    await store.close();
  });

  test.each(TABLES)('the rows of $name are the same, column by column', async ({ name }) => {
    const sql = `SELECT * FROM ${name}`;
    const [ours, theirs] = await Promise.all([engines.duckdb.query(sql), engines.trino.query(sql)]);
    expect(theirs.columns).toEqual(ours.columns);
    expect(theirs.rows.length).toBeGreaterThan(0);
    expect(sortedRows(theirs.rows)).toEqual(sortedRows(ours.rows));
  });

  describe.each(TABLES.filter(({ name }) => detectors.some(({ table }) => table === name)))('of $name', (table) => {
    const own = detectors.filter((detector) => detector.table === table.name).flatMap(tasksOf);
    let results: Map<string, { readonly ours: HuntTaskResult; readonly theirs: HuntTaskResult }>;
    beforeAll(async () => {
      const request = {
        tasks: own.map(({ detector, parameters }) => ({ detector, parameters, window: store.window })),
        lists: {},
        columns: [table.roles.eventName, table.roles.origin],
        nowMs: store.window.toMs + 400 * DAY_MS,
      };
      const engine = createEngine(table);
      const [ours, theirs] = [await engine.run(engines.duckdb, request), await engine.run(engines.trino, request)];
      results = new Map(
        own.map(({ name }, at) => [name, { ours: ours[at] as HuntTaskResult, theirs: theirs[at] as HuntTaskResult }]),
      );
    });

    test.each(own)('$name', ({ name }) => {
      const result = results.get(name);
      expect(outline(result?.theirs)).toEqual(outline(result?.ours));
    });

    test('nearly all of them find something, so that the comparison means something', () => {
      const silent = [...results].filter(([, { ours }]) => ours.findings.length === 0).map(([name]) => name);
      expect(silent.length).toBeLessThan(own.length / 10);
    });
  });
});

interface Task {
  readonly name: string;
  readonly detector: Detector;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A detector with the values of each of its examples. */
function tasksOf(detector: Detector): readonly Task[] {
  const given = new Map(detector.examples.map(({ parameters = {} }) => [JSON.stringify(parameters), parameters]));
  return [...given].map(([text, parameters]) => ({
    name: text === '{}' ? detector.id : `${detector.id} with ${text}`,
    detector,
    parameters: parameterValues(detector, parameters),
  }));
}

/** Findings in the order of their ids. */
const outline = (result: HuntTaskResult | undefined): unknown => ({
  ...result,
  findings: result?.findings.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
});
