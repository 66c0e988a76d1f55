/** Every detector of the catalogue: its data is sound, its examples hold, and each of its predicates is needed by one of them. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { testExamples } from '../../src/cli/wire.ts';
import { runExamples } from '../../src/detection/examples.ts';
import { withoutLeaves } from '../../src/detection/mutate.ts';
import { createEngine } from '../../src/detection/planner.ts';
import type { Detector } from '../../src/detector.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { loadRecords } from '../support/load-records.ts';

const FOLDER = join(import.meta.dirname, '../../detectors');
const engine = createEngine(cloudtrailTable);

const detectors = await Promise.all(
  readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .toSorted()
    .map(async (file) => {
      const module: { readonly detector?: Detector } = await import(pathToFileURL(join(FOLDER, file)).href);
      return { id: basename(file, '.ts'), detector: module.detector };
    }),
);

test('there is a catalogue', () => {
  expect(detectors.length).toBeGreaterThan(0);
});

test('ids are unique', () => {
  const ids = detectors.map(({ detector }) => detector?.id);
  expect(new Set(ids).size).toBe(ids.length);
});

describe.each(
  detectors.filter(
    (entry): entry is { readonly id: string; readonly detector: Detector } => entry.detector !== undefined,
  ),
)('$id', ({ id, detector }) => {
  test('carries the name of its file and says all that a reader needs', () => {
    expect({
      id: detector.id,
      texts: [detector.title, detector.description, detector.severityReason, detector.summary].every(
        (text) => text.trim() !== '',
      ),
      attack: detector.attack.length > 0,
      falsePositives: detector.falsePositives.length > 0,
      blindSpots: detector.blindSpots.length > 0,
      vague: /^(suspicious|detect)-/u.test(detector.id),
    }).toEqual({ id, texts: true, attack: true, falsePositives: true, blindSpots: true, vague: false });
  });

  test('has an example that raises an alert and one that does not', () => {
    expect(
      detector.examples.some(({ alerts }) => alerts.length > 0) &&
        detector.examples.some(({ alerts }) => alerts.length === 0),
    ).toBe(true);
  });

  test('finds what its examples expect, and needs each of its predicates for it', async () => {
    const report =
      detector.table === 'cloudtrail' && detector.reads === undefined
        ? await runExamples(detector, { engine, load: loadRecords, variants: withoutLeaves(detector) })
        : await testExamples(detector, withoutLeaves(detector));
    expect({
      examples: report.examples.filter(({ problems }) => problems.length > 0),
      neededByNoExample: report.mutants.filter(({ noticed }) => noticed !== true).map(({ what }) => what),
    }).toEqual({ examples: [], neededByNoExample: [] });
  });
});

test('what is told to run next exists', () => {
  const named = detectors.flatMap(({ detector }) => [
    ...[detector?.response ?? [], detector?.blindSpots ?? []]
      .flat()
      .join(' ')
      .matchAll(/saved question ([a-z0-9-]+)/gu),
  ]);
  const known = readdirSync(join(FOLDER, '../queries')).map((name) => basename(name, '.sql'));
  expect(named.map(([, id = '']) => id).filter((id) => !known.includes(id))).toEqual([]);
  expect(named.length).toBeGreaterThan(20);
});

test('every file holds a detector', () => {
  expect(detectors.filter(({ detector }) => detector === undefined).map(({ id }) => id)).toEqual([]);
});
