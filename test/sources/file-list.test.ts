/** Lists of log files: which lines name one, and what is told of those that are not there. */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AwsOptions, Scope, Source } from '../../src/source.ts';
import { openFileList } from '../../src/sources/file-list.ts';
import { objectsOf } from '../support/s3-peer.ts';
import { BUCKET, CREDENTIALS, NO_CREDENTIALS, openPeerSource, startPeer } from './s3-support.ts';
import { listAll, readAll, relative, tempDir, tree } from './support.ts';

beforeEach(() => stub(CREDENTIALS));

function stub(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

async function listed(text: string, options: AwsOptions = {}): Promise<Source> {
  const source = await openFileList('-', Readable.from([Buffer.from(text)]), options);
  onTestFinished(() => source.close());
  return source;
}

const URL_OF = (key: string): string => `s3://${BUCKET}/${key}`;
const OBJECTS = objectsOf({ 'AWSLogs/a.json': 'a', 'AWSLogs/b c+d%.json': 'bb', 'AWSLogs/never.json': 'ccc' });

describe('a name', () => {
  const quoted = URL_OF('a, "b".json');
  test.each([
    ['a line', `${URL_OF('a')}\n`, [URL_OF('a')]],
    [
      'lines of another system, a byte order mark, no end',
      `\uFEFF${URL_OF('a')}\r\n${URL_OF('b')}`,
      [URL_OF('a'), URL_OF('b')],
    ],
    ['empty lines and repeats', `\n${URL_OF('a')}\n \n\n${URL_OF('a')}\n`, [URL_OF('a')]],
    ['CSV of Athena', `source_path\n${URL_OF('a')}\n"${quoted.replaceAll('"', '""')}"\n`, [URL_OF('a'), quoted]],
    ['CSV of log_file', `key\n${URL_OF('a')}\n`, [URL_OF('a')]],
    ['JSONL', `{"p":${JSON.stringify(quoted)}}\n{"p":null}\n{"p":"${URL_OF('b')}"}\n`, [quoted, URL_OF('b')]],
  ])('%s', async (_, text, keys) => {
    const { url } = await startPeer({ objects: [] });
    const { files, problems } = await listAll(await listed(text, { endpointUrl: url }));
    expect([files, problems.map(({ key }) => key)]).toEqual([[], keys]);
  });

  test.each([
    ['{"a":"x","b":"y"}', 1],
    ['{"a":1}', 1],
    ['{"a":', 1],
    ['a\n"b', 2],
    ['a\ns3://example-logs/AWSLogs/', 2],
    ['s3://example-logs', 1],
    ['s3://Example/a', 1],
    ['sqs://queue', 1],
    ['a\0b', 1],
  ])('%j is none, and the line is told', async (text, line) => {
    await expect(listed(text)).rejects.toMatchObject({
      code: 'usage-invalid',
      message: expect.stringMatching(new RegExp(`^cannot use line ${line} of the list -: ".*" names no file$`, 'u')),
    });
  });

  test.each(['', '\n\n', 'source_path\n', '{"source_path":null}\n'])('there is none in %j', async (text) => {
    await expect(listed(text)).rejects.toMatchObject({
      code: 'source-missing',
      message: 'the list - names no log file',
    });
  });
});

describe('files', () => {
  test('are read once, archives with their members, and what is no file is told', async () => {
    const dir = tempDir();
    tree(dir, { 'a.json': 'a', 'folder/b.json': 'b', source_path: 'c' });
    const names = ['source_path', 'a.json', './a.json', 'source_path', 'folder', 'gone.json', 'folder/*'];
    tree(dir, { 'list.txt': names.map((name) => join(dir, name)).join('\n') });
    const source = await openFileList(join(dir, 'list.txt'), Readable.from([]), {});
    expect(source.costs).toBe(undefined);
    expect(relative(dir, await listAll(source))).toEqual({
      keys: ['source_path', 'a.json'],
      problems: [
        "cannot read 'folder': it is no file",
        "cannot find 'gone.json': no such file or folder",
        "cannot find 'folder/*': no such file or folder",
      ],
    });
  });

  test('a list that is not there', async () => {
    await expect(openFileList('/nowhere/list.txt', Readable.from([]), {})).rejects.toMatchObject({
      code: 'source-missing',
    });
  });
});

describe('objects', () => {
  test('are what a list of their bucket tells, and nothing is listed', async () => {
    const { peer, source } = await openPeerSource({ objects: OBJECTS }, 'AWSLogs/');
    const all = await listAll(source);
    const lists = peer.counts.list;
    const own = await listed(`${URL_OF('AWSLogs/b c+d%.json')}\n${URL_OF('AWSLogs/a.json')}\n`, {
      endpointUrl: peer.url,
    });
    const facts = ({ files }: typeof all) =>
      files.map(({ key, sizeBytes, version, hint }) => ({ key, sizeBytes, version, hint }));
    expect(facts(await listAll(own)).toReversed()).toEqual(facts(all).slice(0, 2));
    expect(await readAll(own)).toEqual({
      texts: { [URL_OF('AWSLogs/a.json')]: 'a', [URL_OF('AWSLogs/b c+d%.json')]: 'bb' },
      problems: [],
    });
    expect([peer.counts.list, own.costs?.()]).toMatchObject([lists, { listRequests: 0, headRequests: 4 }]);
  });

  test('that are not there, or may not be read, are told by name', async () => {
    const faults = [{ kind: 'denied', on: 'get', key: 'AWSLogs/a.json' }] as const;
    const { url } = await startPeer({ objects: OBJECTS, faults });
    const source = await listed(['a', 'gone', 'b c+d%'].map((name) => URL_OF(`AWSLogs/${name}.json`)).join('\n'), {
      endpointUrl: url,
    });
    const { files, problems } = await listAll(source);
    expect([files.map(({ key }) => key), problems.map(({ error }) => error.message)]).toEqual([
      [URL_OF('AWSLogs/b c+d%.json')],
      [
        expect.stringMatching(/^cannot read s3:\/\/example-logs\/AWSLogs\/a\.json: access denied/u),
        'cannot read s3://example-logs/AWSLogs/gone.json: there is no such object, or no such bucket',
      ],
    ]);
  });

  test('beyond the scope are not asked for', async () => {
    const { url, counts } = await startPeer({ objects: [] });
    const name = (account: string, day: string): string =>
      URL_OF(
        `AWSLogs/${account}/CloudTrail/eu-west-1/${day}/${account}_CloudTrail_eu-west-1_${day.replaceAll('/', '')}T1000Z_x.json.gz`,
      );
    const source = await listed(
      [name('111122223333', '2026/03/01'), name('444455556666', '2026/03/01'), name('111122223333', '2026/01/01')].join(
        '\n',
      ),
      { endpointUrl: url },
    );
    const scope: Scope = { accounts: ['111122223333'], fromMs: Date.UTC(2026, 2, 1) };
    expect((await listAll(source, scope)).problems.map(({ key }) => key)).toEqual([name('111122223333', '2026/03/01')]);
    expect(counts.get).toBe(1);
  });

  test('many are asked for at once, and come in the order of the list', async () => {
    const names = Array.from({ length: 500 }, (_, at) => `${(at * 37) % 500}.json`);
    const { url } = await startPeer({ objects: objectsOf(Object.fromEntries(names.map((name) => [name, name]))) });
    const source = await listed(names.map(URL_OF).join('\n'), { endpointUrl: url });
    for await (const _ of source.list({}, new AbortController().signal)) break;
    expect(source.costs?.().headRequests).toBe(32);
    const { files } = await listAll(source);
    expect(files.map(({ key }) => key)).toEqual(names.map(URL_OF));
  });

  test('that fail for a while are asked for again; without credentials the run ends at once', async () => {
    const faults = [{ kind: 'slow-down', on: 'get', times: 2 }] as const;
    const { url } = await startPeer({ objects: OBJECTS, faults });
    const text = ['a', 'b c+d%', 'never'].map((name) => URL_OF(`AWSLogs/${name}.json`)).join('\n');
    expect((await listAll(await listed(text, { endpointUrl: url }))).files).toHaveLength(3);
    stub(NO_CREDENTIALS);
    await expect(listAll(await listed(text, { endpointUrl: url }))).rejects.toMatchObject({ code: 'aws-credentials' });
  });
});
