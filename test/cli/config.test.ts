/** The config file: its mistakes are named with line and column. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/cli/config.ts';
import { parseConfig } from '../../src/cli/config-file.ts';

const file = '/somewhere/trailhound.yaml';

describe('a config', () => {
  test.each([
    ['an unknown key', 'sotre: x\n', '1:1: sotre: unknown key: expected one of store, sources'],
    [
      'an unknown key further down',
      'suppress:\n  - { reason: a, owner: b, detektor: c }\n',
      '2:28: suppress.0.detektor: unknown key: expected one of detector, where',
    ],
    ['a missing key', 'suppress:\n  - owner: b\n', '2:5: suppress.0.reason: missing'],
    ['a value of the wrong type', 'store: x\nsources: ./logs\n', '2:1: sources: expected a list of paths'],
    ['an empty text', 'store: ""\n', '1:1: store: expected a text that is not empty'],
    ['a bad span', 'retention: 3y\n', "1:1: retention: cannot read the span '3y'"],
    ['a bad time', 'suppress:\n  - { reason: a, owner: b, until: 2027-31-31 }\n', "cannot read the time '2027-31-31'"],
    ['a number below its least', 'limits:\n  max_ratio: 0\n', '2:3: limits.max_ratio: expected a number above 0'],
    ['a backend that is not there', 'backend: postgres\n', "1:1: backend: expected 'duckdb' or 'athena'"],
    [
      'a limit that is no size',
      'athena:\n  max_scan: much\n',
      "2:3: athena.max_scan: cannot use 'much' for max_scan: expected a size such as 500MB, 50GB or 1TB",
    ],
    ['a bad list name', 'lists:\n  My List: a.txt\n', '2:3: lists.My List: expected a name of lower-case letters'],
    ['a duplicate key', 'store: a\nstore: b\n', '2:1: not valid YAML: Map keys must be unique'],
    ['a tab as indentation', 'limits:\n\tmax_ratio: 3\n', '2:1: not valid YAML'],
    ['a sequence that is cut short', 'sources: [a\n', 'not valid YAML'],
    ['no mapping at all', '- a\n', 'config: expected a mapping'],
    ['a destination without an id', 'sinks: [{ type: slack }]\n', '1:9: sinks.0.id: missing'],
  ])('with %s is refused, naming the place', (_, text, expected) => {
    expect(() => parseConfig(text, file)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(expected) }),
    );
    expect(() => parseConfig(text, file)).toThrow(`${file}:`);
  });

  test('tells all its mistakes at once', () => {
    expect(() => parseConfig('a: 1\nb: 2\nretention: x\n', file)).toThrow(
      /retention.*\n.*a: unknown key.*\n.*b: unknown key/,
    );
  });

  test('that is empty has the defaults', () => {
    expect(parseConfig('', file)).toEqual({
      sources: [],
      backend: 'duckdb',
      detectors: [],
      parameters: {},
      overrides: [],
      lists: {},
      enrichment: { mmdb: {}, networks: {}, threats: [] },
      suppress: [],
      mask: [],
      redact: [],
      limits: {},
      aws: {},
      athena: {},
      rules: [],
      placeholders: {},
      hunts: [],
      sinks: [],
      watch: { poll: '10s', silence: true, time_zone: 'UTC' },
      file,
      dir: '/somewhere',
      placeOf: expect.any(Function),
    });
  });

  test('of the documentation is valid and shows every key', () => {
    const text = readFileSync('docs/examples/trailhound.yaml', 'utf8');
    const { file: _file, dir: _dir, placeOf: _placeOf, ...keys } = parseConfig(text, file);
    expect(Object.keys(keys).toSorted()).toEqual(
      [
        'athena',
        'aws',
        'backend',
        'detectors',
        'enrichment',
        'hunts',
        'limits',
        'lists',
        'mask',
        'overrides',
        'parameters',
        'placeholders',
        'redact',
        'retention',
        'rules',
        'sinks',
        'sources',
        'store',
        'suppress',
        'watch',
      ].toSorted(),
    );
  });

  test('that is not there says what an empty one says', async () => {
    const empty = { ...parseConfig('', file), file: null, dir: process.cwd(), placeOf: expect.any(Function) };
    expect(await readConfig(undefined)).toEqual(empty);
  });

  test('that was named and is not there is an error', async () => {
    await expect(readConfig('/nowhere/x.yaml')).rejects.toThrow('cannot read the config /nowhere/x.yaml: no such file');
  });
});
