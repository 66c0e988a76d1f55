/** The owner of event ids against a plain map, with tables spilled to disk at random moments. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ADMITTED, CONFLICT, DUPLICATE } from '../../src/ingest.ts';
import { createAdmission } from '../../src/store/admission.ts';
import { COMMITTED, EventIds } from '../../src/store/event-ids.ts';
import { IdFilter } from '../../src/store/id-filter.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-ids-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const identity = (id: number, facts: number): Int32Array => Int32Array.from([id, id * 7, 0, id >> 3, facts, 0]);

describe('EventIds', () => {
  test('agrees with a map of everything it was given, wherever it keeps it', () => {
    const step = fc.oneof(
      { weight: 40, arbitrary: fc.record({ id: fc.nat(200), facts: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.constant('spill' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3000 }), (steps) => {
        const ids = new EventIds();
        const plain = new Map<number, Map<number, number>>();
        let files = 0;
        for (const [owner, one] of steps.entries()) {
          if (one === 'spill') {
            ids.spill(join(folder, `run-${process.hrtime.bigint()}-${files++}`));
            continue;
          }
          const known = plain.get(one.id);
          const expected = known === undefined ? 'none' : known.has(one.facts) ? 'same' : 'other-facts';
          const found = ids.admit(identity(one.id, one.facts), 0, owner + 1);
          expect(found.kind).toBe(expected);
          if (expected === 'same') expect(found.owner).toBe(known?.get(one.facts));
          else plain.set(one.id, (known ?? new Map<number, number>()).set(one.facts, owner + 1));
        }
        ids.close();
      }),
      { numRuns: 60 },
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([1, 2, 3, 4, 7])('finds %i ids again that were spilled alone', (count) => {
    const ids = new EventIds();
    for (let id = 0; id < count; id++) ids.admit(identity(id, 1), 0, COMMITTED);
    ids.spill(join(folder, 'run'));
    const kinds = Array.from({ length: count }, (_, id) => ids.admit(identity(id, 1), 0, 1).kind);
    ids.close();
    expect(new Set(kinds)).toEqual(new Set(['same']));
  });

  test('finds every one of 300,000 ids again after several spills, and no other', () => {
    const ids = new EventIds();
    for (let id = 0; id < 300_000; id++) {
      ids.admit(identity(id, 1), 0, COMMITTED);
      if (id % 70_000 === 69_999) ids.spill(join(folder, `run-${id}`));
    }
    let same = 0;
    for (let id = 0; id < 300_000; id++) if (ids.admit(identity(id, 1), 0, 1).kind === 'same') same++;
    let strangers = 0;
    for (let id = 300_000; id < 400_000; id++) if (ids.admit(identity(id, 1), 0, 1).kind !== 'none') strangers++;
    ids.close();
    expect({ same, strangers }).toEqual({ same: 300_000, strangers: 0 });
  });

  test('takes a flood of different records under one id in linear time', () => {
    const ids = new EventIds();
    for (let facts = 0; facts < 100_000; facts++) ids.admit(identity(1, facts), 0, COMMITTED);
    expect(ids.admit(identity(1, 99_999), 0, 5)).toEqual({ kind: 'same', owner: COMMITTED });
    expect(ids.admit(identity(1, 100_000), 0, 5).kind).toBe('other-facts');
  });
});

describe('Admission', () => {
  const rows = (...list: readonly (readonly [day: number, id: number, facts: number, hasId?: 0 | 1])[]) => ({
    table: 'cloudtrail',
    identity: new Uint8Array(Int32Array.from(list.flatMap(([, id, facts]) => [...identity(id, facts)])).buffer),
    hasIdentity: Uint8Array.from(list.map(([, , , hasId = 1]) => hasId)),
    eventDay: Int32Array.from(list.map(([day]) => day)),
  });
  let read = 0;
  async function* identities(table: string, day: number) {
    read++;
    if (table === 'cloudtrail' && day === 100) yield { words: identity(1, 1), rows: 1 };
    await Promise.resolve();
  }
  const filter = (table: string, day: number): IdFilter => {
    const ids = new IdFilter(1);
    if (table === 'cloudtrail' && day === 100) ids.add(identity(1, 1), 0);
    return ids;
  };

  test.each([
    ['of days that are read whole', () => Promise.resolve(null), 3],
    ['of days whose ids alone are read first', (table: string, day: number) => Promise.resolve(filter(table, day)), 1],
  ])('tells new records, the same ones, and ids with other facts, day by day: %s', async (_name, ids, reads) => {
    read = 0;
    const admission = createAdmission({ identities, ids }, folder);
    const first = await admission.judge(
      rows([100, 1, 1], [100, 1, 2], [100, 2, 1], [101, 1, 1], [100, 2, 1], [100, 0, 0, 0], [100, 0, 0, 0]),
      1,
    );
    expect([...first.verdicts]).toEqual([DUPLICATE, CONFLICT, ADMITTED, ADMITTED, DUPLICATE, ADMITTED, ADMITTED]);
    expect(first.dependsOn).toEqual([]);
    const second = await admission.judge(rows([100, 2, 1], [101, 1, 1], [100, 1, 1]), 2);
    expect([...second.verdicts]).toEqual([DUPLICATE, DUPLICATE, DUPLICATE]);
    expect(second.dependsOn).toEqual([1]);
    admission.committed(1);
    expect((await admission.judge(rows([100, 2, 1]), 3)).dependsOn).toEqual([]);
    const other = await admission.judge({ ...rows([100, 1, 1], [100, 2, 1]), table: 'waf' }, 4);
    expect([...other.verdicts]).toEqual([ADMITTED, ADMITTED]);
    expect(read).toBe(reads);
    admission.close();
  });

  test('a day of which only the ids are known is read once an event may be stored, after others were admitted', async () => {
    read = 0;
    const admission = createAdmission({ identities, ids: (table, day) => Promise.resolve(filter(table, day)) }, folder);
    expect([...(await admission.judge(rows([100, 7, 1], [100, 8, 1]), 1)).verdicts]).toEqual([ADMITTED, ADMITTED]);
    expect(read).toBe(0);
    const later = await admission.judge(rows([100, 9, 1], [100, 1, 2], [100, 7, 1], [100, 1, 1], [100, 8, 2]), 2);
    expect([...later.verdicts]).toEqual([ADMITTED, CONFLICT, DUPLICATE, DUPLICATE, CONFLICT]);
    expect([read, later.dependsOn]).toEqual([1, [1]]);
    admission.close();
  });
});

describe('IdFilter', () => {
  test('holds what was added, and of thousands of others hardly one', () => {
    const ids = new IdFilter(20_000);
    const word = (number: number): Int32Array => identity(number, 0);
    for (let number = 1; number <= 20_000; number++) ids.add(word(number), 0);
    let missing = 0;
    let false_ = 0;
    for (let number = 1; number <= 20_000; number++) if (!ids.mayHold(word(number), 0)) missing++;
    for (let number = 20_001; number <= 60_000; number++) if (ids.mayHold(word(number), 0)) false_++;
    expect(missing).toBe(0);
    expect(false_).toBeLessThan(3);
  });
});
