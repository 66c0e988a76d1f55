/** The whole catalogue over ordinary days: it keeps the budget for noise. The bench measures the same over ten times as many events. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { corpus } from '../../bench/corpus.ts';
import { noiseOf } from '../../bench/noise.ts';
import type { Alert } from '../../src/alert.ts';
import { trailhound } from '../cli/run.ts';

/** Dense enough that what belongs to ordinary work was seen before the first baseline is warm. */
const SHAPE = { name: 'quiet-week', events: 400_000, days: 8, quiet: true, seed: 1 };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-noise-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('an archive in which nothing is planted raises hardly an alert, and none that wakes somebody', async () => {
  const archive = await corpus(SHAPE, () => undefined);
  expect(archive).toMatchObject({ events: SHAPE.events, incidents: 0 });
  const { stdout, status } = await trailhound(
    ['scan', archive.dir, '--store', join(folder, 'store'), '--output', 'json'],
    {
      cwd: folder,
    },
  );
  expect(status).toBe(0);
  const noise = noiseOf(JSON.parse(stdout) as Alert[], SHAPE);
  expect(noise.problems, JSON.stringify(noise.byDetector)).toEqual([]);
});
