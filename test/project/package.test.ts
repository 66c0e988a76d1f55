/** What npm and its users see of the project. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  name: string;
  license: string;
  engines: { node: string };
  files: string[];
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

test('every dependency is pinned to one version', () => {
  const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
  );
  expect(loose).toEqual([]);
});

test('the lock file names no host that packages come from', () => {
  expect(read('package-lock.json')).not.toContain('"resolved": "http');
});

test('the lock file holds the packages of all platforms; `node scripts/lock.mjs` adds what npm left out', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const missing = Object.values(packages)
    .flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
    .filter((name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)));
  expect(missing).toEqual([]);
});

test('it is published as trailhound under Apache-2.0 for Node 20.19 and newer', () => {
  const { name, license, engines } = manifest;
  expect({ name, license, engines }).toEqual({
    name: 'trailhound',
    license: 'Apache-2.0',
    engines: { node: '>=20.19' },
  });
  expect(read('LICENSE')).toContain('Apache License\n                           Version 2.0, January 2004');
});

test('what is to be published exists', () => {
  // dist/ is built before packing.
  const missing = manifest.files.filter(
    (path) => path !== 'dist' && !existsSync(new URL(`../../${path}`, import.meta.url)),
  );
  expect(missing).toEqual([]);
});

test('the files that npm scripts run exist', () => {
  const named = Object.values(manifest.scripts).flatMap((script) => script.match(/\b(?:scripts|bench)\/\S+/g) ?? []);
  expect(named.filter((path) => !existsSync(new URL(`../../${path}`, import.meta.url)))).toEqual([]);
});
