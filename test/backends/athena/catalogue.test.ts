/** The whole catalogue over an organisation of 400 accounts in 17 Regions: no statement of it is one that Athena would refuse. */
import { expect, test } from 'vitest';
import { daysRead, planCatalogue } from '../../../scripts/support/athena-catalogue.ts';
import { PARTITIONS_MAX } from '../../../src/backends/athena/scale.ts';
import { TEXT_BYTES_MAX } from '../../../src/backends/athena/statement.ts';
import { readConfig } from '../../../src/cli/config.ts';
import { loadDetectors } from '../../../src/cli/detectors.ts';

test.each([
  [90, 1],
  [365, 4],
])('%i days', async (days, count) => {
  const { entries } = await loadDetectors(await readConfig(undefined));
  const detectors = entries.map(({ detector }) => detector);
  const { together, apart, pieces } = await planCatalogue(detectors, days, { isCompared: days === 90 });
  expect(Math.max(...together.map(({ text }) => Buffer.byteLength(text)))).toBeLessThanOrEqual(TEXT_BYTES_MAX);
  expect(Math.max(...together.flatMap(({ tables }) => tables.map(({ partitions }) => partitions)))).toBeLessThanOrEqual(
    PARTITIONS_MAX,
  );
  expect(pieces).toBe(count);
  // All detectors of single events of a table share a scan; every other one has its own.
  const isSingle = new Set(detectors.filter(({ slot }) => slot === 'event').map(({ id }) => id));
  const singles = together.filter(({ title }) => title.split(', ').every((id) => isSingle.has(id)));
  const tables = new Set(detectors.filter(({ slot }) => slot === 'event').map(({ table }) => table));
  expect(singles.length).toBe(tables.size * pieces);
  // Those of one table need to know its addresses.
  const lookUps = together.filter(({ title }) => title.endsWith('to be looked up'));
  expect(lookUps.length).toBe(pieces);
  expect(together.length - singles.length - lookUps.length).toBe((detectors.length - isSingle.size) * pieces);
  if (days === 90) expect(daysRead(together, 'cloudtrail')).toBeLessThan(daysRead(apart, 'cloudtrail'));
});
