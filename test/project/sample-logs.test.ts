/** sample-logs/: what is in the repository is what its generator makes, and it is nobody's data. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { stories } from '../../scripts/sample-logs/incidents.ts';
import { sampleLogs } from '../../scripts/sample-logs.ts';

const folder = fileURLToPath(new URL('../../sample-logs/', import.meta.url));
const MAX_BYTES = 3_000_000;
const generated = sampleLogs();

const inRepository = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(folder.length).replaceAll('\\', '/'));

test('the generator makes every file of it again, byte for byte', () => {
  expect(inRepository.toSorted()).toEqual([...generated.keys()].toSorted());
  const differing = [...generated].filter(([path, bytes]) => !readFileSync(join(folder, path)).equals(bytes));
  expect(differing.map(([path]) => path)).toEqual([]);
});

test('it stays small', () => {
  expect([...generated.values()].reduce((total, bytes) => total + bytes.length, 0)).toBeLessThan(MAX_BYTES);
});

/** The texts of all files that are whole; S3 writes its access logs plain. */
const texts = [...generated].flatMap(([path, bytes]) => {
  if (path.startsWith('s3-access/')) return [Buffer.from(bytes).toString()];
  try {
    return [gunzipSync(bytes).toString()];
  } catch {
    return [];
  }
});

test('all addresses are those that documentation uses', () => {
  const addresses = texts.flatMap((text) => text.match(/(?<![\d.-])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g) ?? []);
  const foreign = new Set(addresses.filter((address) => !/^(192\.0\.2|198\.51\.100|203\.0\.113)\./.test(address)));
  // The whole world, which a rule lets in, the metadata service of EC2, and the version of a browser, which looks like an address.
  for (const known of ['0.0.0.0', '169.254.169.254', '145.0.0.0']) foreign.delete(known);
  expect([...foreign]).toEqual([]);
  expect(addresses.length).toBeGreaterThan(1000);
});

test('all access keys are marked as examples', () => {
  const keys = texts.flatMap((text) => text.match(/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g) ?? []);
  expect(keys.filter((key) => !key.endsWith('EXAMPLE'))).toEqual([]);
  expect(keys.length).toBeGreaterThan(100);
});

test('its stories name detectors that exist', () => {
  const detectors = ['cloudtrail', 's3_access', 'waf'].flatMap((table) =>
    readdirSync(fileURLToPath(new URL(`../../detectors/${table}/`, import.meta.url))),
  );
  const named = new Set(stories().flatMap((story) => story.steps.flatMap((step) => step.detectors)));
  expect([...named].filter((id) => !detectors.includes(`${id}.ts`))).toEqual([]);
});
