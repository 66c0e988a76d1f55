/** The main job on sample-logs, as the README shows it: what was planted is found, and nothing else is said. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { stories } from '../../scripts/sample-logs/incidents.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const store = mkdtempSync(join(tmpdir(), 'trailhound-incidents-'));
afterAll(() => rmSync(store, { recursive: true }));

const scan = (): { alerts: { id: string; detector: string }[]; closing: string[] } => {
  const cli = join(root, 'dist/src/cli/main.js');
  const args = [cli, 'scan', 'sample-logs', '--store', join(store, 'store'), '--output', 'json'];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { alerts: JSON.parse(stdout), closing: stderr.trimEnd().split('\n').slice(-2) };
};
const first = scan();
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('each detector of a story speaks, and no other', () => {
  const expected = new Set(stories().flatMap((story) => story.steps.flatMap((step) => step.detectors)));
  const found = new Set(first.alerts.map(({ detector }) => detector));
  expect([...found].toSorted()).toEqual([...expected].toSorted());
});

test('the README shows alerts and closing lines that are real', () => {
  const shown = [...readme.matchAll(/^(?:critical|high|medium|low) {2}\S+Z {2}([0-9a-f]{10}) {2}new$/gm)];
  const ids = first.alerts.map(({ id }) => id.slice(0, 10));
  expect(shown.length).toBeGreaterThan(0);
  expect(shown.map(([, id = '']) => id).filter((id) => !ids.includes(id))).toEqual([]);
  expect(first.closing.filter((line) => !readme.includes(`${line}\n`))).toEqual([]);
});

test('a second run finds the same alerts and calls none of them new', () => {
  const second = scan();
  expect(second.alerts.map(({ id }) => id).toSorted()).toEqual(first.alerts.map(({ id }) => id).toSorted());
  expect(second.closing.at(-1)).toBe(`${first.alerts.length} alerts, 0 new`);
  expect(readme).toContain(`\`${second.closing.at(-1)}\``);
});
