/** Detectors of the package and of a user: listed, explained, written anew, and loaded from every language. */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newFolder, trailhound } from './run.ts';

let cwd: string;
const run = (...args: string[]) => trailhound(args, { cwd });
const put = (name: string, text: string) => {
  mkdirSync(join(cwd, name, '..'), { recursive: true });
  writeFileSync(join(cwd, name), text);
};

beforeEach(() => {
  cwd = newFolder();
});

afterEach(() => rmSync(cwd, { recursive: true }));

const listed = async (): Promise<Record<string, string>> => {
  const { stdout, stderr, status } = await run('detectors', 'list', '--output', 'json');
  expect(status, stderr).toBe(0);
  return Object.fromEntries(
    (JSON.parse(stdout) as { id: string; origin: string }[]).map(({ id, origin }) => [id, origin]),
  );
};

describe('the detectors of the package', () => {
  test('are listed with severity and technique', async () => {
    const { status, stdout, stderr } = await run('detectors', 'list');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^denied-call-spike +\w+ +\S.*T\d{4}.* built in$/m);
    expect(stderr).toMatch(/^\d\d+ detectors\n$/);
  });

  test('can be narrowed by severity', async () => {
    const { stdout } = await run('detectors', 'list', '--min-severity', 'critical', '--output', 'csv');
    const severities = stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',')[1]);
    expect(new Set(severities)).toEqual(new Set(['critical']));
  });

  test('are explained with the values that are in force', async () => {
    put('trailhound.yaml', 'parameters:\n  denied-call-spike:\n    refusals: 7\n');
    expect((await run('detectors', 'show', 'denied-call-spike')).stdout).toMatch(/refusals = 7 \(default 20\): /);
    const { stdout } = await run(
      'detectors',
      'show',
      'denied-call-spike',
      '--param',
      'denied-call-spike.refusals=9',
      '--output',
      'json',
    );
    expect(JSON.parse(stdout)).toMatchObject({
      id: 'denied-call-spike',
      parameters: [{ name: 'refusals', default: 20, value: 9 }],
      parameter_schemas: { refusals: { type: 'integer', minimum: 1 } },
    });
  });
});

describe('a new detector', () => {
  test.each(['js', 'yaml', 'sql'])('in %s is loaded as it was written', async (kind) => {
    put('trailhound.yaml', '');
    const { status, stdout, stderr } = await run('detectors', 'new', 'odd-thing-seen', '--kind', kind);
    expect(status, stderr).toBe(0);
    expect(stdout).toBe(`${join(cwd, 'detectors', `odd-thing-seen.${kind}`)}\n`);
    expect(await listed()).toMatchObject({ 'odd-thing-seen': `detectors/odd-thing-seen.${kind}` });
  });

  test('is YAML unless asked otherwise, which needs no config', async () => {
    await run('detectors', 'new', 'odd-thing-seen');
    expect(statSync(join(cwd, 'detectors/odd-thing-seen.yaml')).isFile()).toBe(true);
    expect(await listed()).toHaveProperty('odd-thing-seen');
  });

  test.each(['js', 'yaml', 'sql'])('in %s has an example that fails until the condition is written', async (kind) => {
    put('trailhound.yaml', '');
    await run('detectors', 'new', 'odd-thing-seen', '--kind', kind);
    const unwritten = await run('detectors', 'test', 'odd-thing-seen');
    expect(unwritten).toMatchObject({ status: 2, stdout: expect.stringMatching(/what must raise an alert +FAILED/) });
    const file = join(cwd, 'detectors', `odd-thing-seen.${kind}`);
    const written = readFileSync(file, 'utf8')
      .replace('example.amazonaws.com', 'iam.amazonaws.com')
      .replace('ReplaceMe', 'CreateUser')
      .replace('default: 100', 'default: 1');
    writeFileSync(file, written);
    const passed = await run('detectors', 'test', 'odd-thing-seen');
    expect(passed.status, passed.stdout).toBe(0);
    expect(passed.stderr).toMatch(/^\d examples? passed$/m);
  });

  test('never replaces a file', async () => {
    put('detectors/odd-thing-seen.txt', 'mine');
    await run('detectors', 'new', 'odd-thing-seen');
    const { status, stderr } = await run('detectors', 'new', 'odd-thing-seen');
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining("the id 'odd-thing-seen' is taken"),
    });
  });
});

describe("a user's detector", () => {
  test('that is code is not run from a folder without a config', async () => {
    put(
      'detectors/planted.js',
      "import { writeFileSync } from 'node:fs'; writeFileSync('ran', ''); export const detector = {};",
    );
    const { status, stderr } = await run('detectors', 'list');
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('1 file of code in ./detectors not loaded'),
    });
    expect(() => statSync(join(cwd, 'ran'))).toThrow('ENOENT');
  });

  test('is loaded from where the config says', async () => {
    await run('detectors', 'new', 'odd-thing-seen', '--dir', 'elsewhere');
    put('trailhound.yaml', 'detectors: [elsewhere]\n');
    expect(await listed()).toMatchObject({ 'odd-thing-seen': 'elsewhere/odd-thing-seen.yaml' });
  });

  const yaml = (text: string) => ['detectors/odd-thing-seen.yaml', text] as const;
  test.each<readonly [string, readonly [string, string], string]>([
    ['with nothing but an id', yaml('id: other\n'), 'odd-thing-seen.yaml:1:1: title: missing'],
    ['that is no YAML', yaml('id: [\n'), 'odd-thing-seen.yaml'],
    ['that is a list', yaml('- 1\n'), 'expected names and values'],
    ['without a subject', yaml('id: odd-thing-seen\n'), 'odd-thing-seen.yaml'],
    [
      'with a parameter that has no default',
      yaml('id: odd-thing-seen\nparameters: { n: 3 }\n'),
      'odd-thing-seen.yaml:2:15: parameters.n: expected { default, doc }',
    ],
    ['that exports nothing', ['detectors/odd-thing-seen.js', 'export const other = 1;\n'], 'it exports no `detector`'],
    ['that does not parse', ['detectors/odd-thing-seen.js', 'export const = 1;\n'], 'odd-thing-seen.js'],
    [
      'whose SQL has no metadata',
      ['detectors/odd-thing-seen.sql', 'SELECT 1\n'],
      'expected a comment with its metadata at the top',
    ],
  ])('%s is refused, naming the file', async (_, [name, text], message) => {
    put('trailhound.yaml', '');
    put(name, text);
    const { status, stderr } = await run('detectors', 'list');
    expect(status).toBe(2);
    expect(stderr).toContain(name);
    expect(stderr).toContain(message);
  });

  test('cannot take the id of one of the package', async () => {
    put('trailhound.yaml', '');
    await run('detectors', 'new', 'odd-thing-seen', '--kind', 'js');
    put('detectors/denied-call-spike.yaml', 'id: denied-call-spike\n');
    expect((await run('detectors', 'list')).status).toBe(2);
  });
});
