/** ATT&CK: each technique that a detector names is known, and its number can be told in another version. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { TECHNIQUES, tacticOf, techniqueIn } from '../src/attack.ts';
import type { Detector } from '../src/detector.ts';

const FOLDER = join(import.meta.dirname, '../detectors');

test('every technique of the catalogue has a name, and every name is used', async () => {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const used = await Promise.all(
    files.map(async (file) => {
      const { detector }: { readonly detector: Detector } = await import(pathToFileURL(join(FOLDER, file)).href);
      return detector.attack.map(({ technique }) => technique);
    }),
  );
  expect([...new Set(used.flat())].toSorted()).toEqual(Object.keys(TECHNIQUES).toSorted());
});

test.each([
  ['T1562.008', 16, 19, 'T1685.002'],
  ['T1685.002', 19, 16, 'T1562.008'],
  ['T1562.008', 16, 18, 'T1562.008'],
  ['T1562.008', 19, 19, 'T1562.008'],
  ['T1485', 16, 19, 'T1485'],
])('%s of version %i is in version %i: %s', (technique, from, to, expected) => {
  expect(techniqueIn(technique, from, to)).toBe(expected);
});

test('every technique of the catalogue has a tactic, also under a later number', () => {
  expect(Object.keys(TECHNIQUES).filter((technique) => tacticOf(technique, 16) === null)).toEqual([]);
  expect([tacticOf('T1685.002', 19), tacticOf('T9999', 16)]).toEqual(['defense-evasion', null]);
});
