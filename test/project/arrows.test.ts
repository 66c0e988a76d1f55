/** The dependency checker refuses each arrow that the architecture forbids: a config that let one through would pass in silence. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'trailhound-arrows-'));
afterAll(() => rmSync(project, { recursive: true }));

const FILES: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    type: 'module',
    dependencies: { zod: '1' },
    devDependencies: { 'fast-check': '1' },
  }),
  'tsconfig.json': JSON.stringify({ compilerOptions: { module: 'NodeNext', allowImportingTsExtensions: true } }),
  'src/table.ts': 'export const table = 1;',
  'src/detector.ts': "import { table } from './table.ts';\nexport const detector = table;",
  'src/store/lake.ts': "import { table } from '../table.ts';\nexport const lake = table;",
  'src/sinks/file.ts': "import { table } from '../table.ts';\nexport const file = table;",
  'src/cli/wire.ts': "export { lake } from '../store/lake.ts';\nexport { file } from '../sinks/file.ts';",
  'detectors/cloudtrail/one.ts': "import { detector } from '../../src/detector.ts';\nexport const one = detector;",
};

/** Names of the violated rules, after `planted` is put beside FILES. */
function violations(planted: Readonly<Record<string, string>>): string[] {
  rmSync(project, { recursive: true });
  for (const [path, text] of Object.entries({ ...FILES, ...planted })) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  }
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'), 'dir');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
      'src',
      'detectors',
      '--config',
      join(root, '.dependency-cruiser.cjs'),
      '--output-type',
      'json',
    ],
    { cwd: project, encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  if (stdout === '') throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as {
    summary: { totalCruised: number; violations: { rule: { name: string } }[] };
  };
  expect(summary.totalCruised).toBeGreaterThanOrEqual(Object.keys(FILES).length - 2);
  return [...new Set(summary.violations.map(({ rule }) => rule.name))].toSorted();
}

test('what the architecture allows passes', () => {
  expect(violations({})).toEqual([]);
});

test.for<[rule: string, path: string, text: string]>([
  ['contracts-import-contracts', 'src/table.ts', "export { lake as table } from './store/lake.ts';"],
  ['siblings-are-strangers', 'src/sinks/file.ts', "export { lake as file } from '../store/lake.ts';"],
  ['siblings-are-strangers', 'src/cli/main.ts', "export { lake } from '../store/lake.ts';"],
  [
    'siblings-are-strangers',
    'src/sinks/file.ts',
    "import type { lake } from '../store/lake.ts';\nexport type file = typeof lake;",
  ],
  ['source-imports-source', 'src/store/lake.ts', "export { one as lake } from '../../detectors/cloudtrail/one.ts';"],
  [
    'detectors-import-the-contract',
    'detectors/cloudtrail/one.ts',
    "export { table as one } from '../../src/table.ts';",
  ],
  ['engine-behind-its-contract', 'src/sinks/file.ts', "export { DuckDBInstance as file } from '@duckdb/node-api';"],
  ['shipped-code-needs-shipped-packages', 'src/sinks/file.ts', "export { assert as file } from 'fast-check';"],
  ['everything-resolves', 'src/sinks/file.ts', "export { file } from './nowhere.ts';"],
])('%s: %s is refused', ([rule, path, text]) => {
  expect(violations({ [path]: text })).toContain(rule);
});
