/** Looks for so many conditions in a store, in a process of its own, and tells what that took. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHunter, openStore } from '../src/cli/wire.ts';
import { systemClock } from '../src/clock.ts';
import { detectorsOf, type PlannerCost } from './planner.ts';

const [, , storeDir = '', count = '1'] = process.argv;
const dir = mkdtempSync(join(tmpdir(), 'trailhound-planner-'));
try {
  const store = await openStore(storeDir);
  const hunter = await openHunter(
    store,
    { detectors: detectorsOf(Number(count)), parameters: {}, lists: new Map(), suppressions: [] },
    { dir, clock: systemClock },
  );
  const [started, usedBefore] = [performance.now(), process.cpuUsage()];
  const statements = await hunter.analyze({});
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(usedBefore);
  const cost: PlannerCost = {
    seconds,
    cpuSeconds: (user + system) / 1e6,
    statements: statements.length,
    longest: Math.max(...statements.map(({ sql }) => sql.length)),
    columns: new Set(statements.flatMap(({ columns }) => columns)).size,
  };
  console.log(JSON.stringify(cost));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
