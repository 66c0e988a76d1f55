/** Files, folders and globs: order, scope, links, odd names, and what cannot be listed. */
import { mkdirSync, renameSync, rmdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readWhole } from '../../src/payload.ts';
import { openDirectorySource, openGlobSource } from '../../src/sources/directory.ts';
import { Walk } from '../../src/sources/walk.ts';
import { listAll, makePipe, readAll, relative, tempDir, tree } from './support.ts';

const ACCOUNT = '123456789012';
const OTHER = '210987654321';

function key(
  day: string,
  options: { account?: string; region?: string; service?: string; unique?: string } = {},
): string {
  const { account = ACCOUNT, region = 'us-east-1', service = 'CloudTrail', unique = 'a' } = options;
  const name = `${account}_${service}_${region}_${day.replaceAll('-', '')}T0005Z_${unique}.json.gz`;
  return `AWSLogs/${account}/${service}/${region}/${day.replaceAll('-', '/')}/${name}`;
}

async function keys(dir: string, scope = {}): Promise<readonly string[]> {
  return relative(dir, await listAll(await openDirectorySource(dir), scope)).keys;
}

describe('a folder', () => {
  test('lists every file with key, size, version, hint and content', async () => {
    const dir = tempDir();
    tree(dir, [key('2024-05-07')]);
    const path = join(dir, key('2024-05-07'));
    utimesSync(path, 1_715_040_300, 1_715_040_300.5);
    const source = await openDirectorySource(dir);
    expect(source).toMatchObject({ name: dir, paths: [dir] });
    expect(await listAll(source)).toEqual({
      files: [
        {
          key: path,
          sizeBytes: key('2024-05-07').length,
          version: '1715040300500',
          hint: { service: 'CloudTrail', account: ACCOUNT, region: 'us-east-1', day: '2024-05-07' },
          content: { type: 'file', path, start: 0, length: key('2024-05-07').length, method: 'stored' },
        },
      ],
      problems: [],
    });
    await source.close();
  });

  test('comes newest day first over accounts and regions, then by name', async () => {
    const dir = tempDir();
    const days = ['2023-12-31', '2024-05-07', '2024-05-06', '2024-01-01', '2022-05-07'];
    const all = days.flatMap((day) => [
      key(day, { unique: 'b' }),
      key(day),
      key(day, { region: 'eu-west-1' }),
      key(day, { account: OTHER, service: 'CloudTrail-Digest' }),
    ]);
    tree(dir, all);
    const byDay = (text: string) => /\d{4}\/\d{2}\/\d{2}/.exec(text)?.[0] ?? '';
    const expected = [...all].sort((a, b) => (byDay(a) === byDay(b) ? (a < b ? -1 : 1) : byDay(a) > byDay(b) ? -1 : 1));
    expect(await keys(dir)).toEqual(expected);
  });

  test('sorts a flat folder by the day in the names, and files that tell none come last', async () => {
    const dir = tempDir();
    const name = (day: string) => `${ACCOUNT}_CloudTrail_us-east-1_${day}T0005Z_x.json.gz`;
    tree(dir, [name('20240506'), 'b.json', name('20240507'), name('20230507'), 'a.json', 'sub/2024/05/08/c.json']);
    expect(await keys(dir)).toEqual([
      'sub/2024/05/08/c.json',
      name('20240507'),
      name('20240506'),
      name('20230507'),
      'a.json',
      'b.json',
    ]);
  });

  test('lists digests, Insights, hidden files and whatever else lies there, without what systems drop', async () => {
    const dir = tempDir();
    const wanted = [
      '.hidden/.a',
      'notes.txt',
      key('2024-05-07', { service: 'CloudTrail-Digest' }),
      key('2024-05-07', { service: 'CloudTrail-Insight' }),
    ];
    tree(dir, [...wanted, '.DS_Store', 'a/.DS_Store', '__MACOSX/x', 'Thumbs.db']);
    expect([...(await keys(dir))].sort()).toEqual([...wanted].sort());
  });

  test('leaves out a store of trailhound', async () => {
    const dir = tempDir();
    tree(dir, [
      'logs/a.json',
      'logs/VERSION',
      '.trailhound/VERSION',
      '.trailhound/catalog.duckdb',
      '.trailhound/lake/x.parquet',
    ]);
    expect(await keys(dir)).toEqual(['logs/VERSION', 'logs/a.json']);
  });

  test('that is empty lists nothing', async () => {
    expect(await listAll(await openDirectorySource(tempDir()))).toEqual({ files: [], problems: [] });
  });

  test('can be listed again, and a listing stops when it is told to', async () => {
    const dir = tempDir();
    tree(dir, ['a', 'b', 'c']);
    const source = await openDirectorySource(dir);
    expect((await listAll(source)).files).toEqual((await listAll(source)).files);
    const controller = new AbortController();
    const listing = source.list({}, controller.signal)[Symbol.asyncIterator]();
    await listing.next();
    controller.abort();
    await expect(listing.next()).rejects.toMatchObject({ code: 'interrupted' });
  });

  test.each([
    ['of many days', 28],
    ['of one day', 1],
  ])('with more names %s than are kept loses and doubles none, and keeps the order of days', async (_name, days) => {
    const dir = tempDir();
    const name = (index: number) =>
      `${ACCOUNT}_CloudTrail_us-east-1_202405${String((index % days) + 1).padStart(2, '0')}T0005Z_${index}.json`;
    const flat = Array.from({ length: 500 }, (_, index) => `flat/${name(index)}`);
    const dated = Array.from({ length: 50 }, (_, index) => key('2024-05-14', { unique: `${index}` }));
    tree(dir, [...flat, ...dated, 'flat/untold.json']);
    const found: { path: string; day: string }[] = [];
    const limits = { keptNames: 100, sortedNames: 20 };
    for await (const some of new Walk(dir, null, {}, new AbortController().signal, limits).files()) {
      for (const item of some) {
        found.push(
          'error' in item ? { path: item.error.message, day: '' } : { path: item.path, day: item.hint.day ?? '' },
        );
      }
    }
    expect(found.map(({ path }) => path.slice(dir.length + 1)).sort()).toEqual(
      [...flat, ...dated, 'flat/untold.json'].sort(),
    );
    const inOrder = found.map(({ day }) => day);
    expect(inOrder).toEqual([...inOrder].sort().reverse());
  });
});

describe('scope', () => {
  test('prunes by delivery day, account and region', async () => {
    const dir = tempDir();
    const all = [
      key('2024-05-07'),
      key('2024-05-09'),
      key('2024-05-11', { region: 'eu-west-1' }),
      key('2024-05-07', { account: OTHER }),
    ];
    tree(dir, [...all, 'untold.json']);
    const from = (day: string) => Date.parse(day);
    expect(await keys(dir, { fromMs: from('2024-05-09') })).toEqual([all[2], all[1], 'untold.json']);
    expect(await keys(dir, { toMs: from('2024-05-07T12:00Z') })).toEqual([all[1], all[0], all[3], 'untold.json']);
    expect(await keys(dir, { accounts: [OTHER] })).toEqual([all[3], 'untold.json']);
    expect(await keys(dir, { regions: ['eu-west-1'] })).toEqual([all[2], 'untold.json']);
  });

  test('does not look into folders that it prunes', async () => {
    const dir = tempDir();
    tree(dir, [key('2024-05-07')]);
    // A link to nowhere in a pruned folder would be told as a problem.
    for (const folder of ['2023/05/07', '2023/06', '2022', '2024/04/01']) {
      mkdirSync(join(dir, 'AWSLogs', ACCOUNT, 'CloudTrail/us-east-1', folder), { recursive: true });
      symlinkSync('nowhere', join(dir, 'AWSLogs', ACCOUNT, 'CloudTrail/us-east-1', folder, 'link'));
    }
    const source = await openDirectorySource(dir);
    expect((await listAll(source)).problems).toHaveLength(4);
    expect(relative(dir, await listAll(source, { fromMs: Date.parse('2024-05-01') }))).toEqual({
      keys: [key('2024-05-07')],
      problems: [],
    });
  });

  test('a dated folder of the user above the logs prunes nothing', async () => {
    const dir = tempDir();
    tree(dir, ['2020-01-01/case/a.json']);
    expect(await keys(join(dir, '2020-01-01'), { fromMs: Date.parse('2024-01-01') })).toHaveLength(1);
    expect(await keys(dir, { fromMs: Date.parse('2024-01-01') })).toHaveLength(0);
  });
});

describe('links', () => {
  test('are followed once, under the real path', async () => {
    const dir = tempDir();
    tree(dir, ['outside/a.json', 'outside/sub/b.json', 'other/c.json', 'root/own.json']);
    for (const [target, link] of [
      ['../outside', 'root/link1'],
      ['../outside/sub', 'root/link2'],
      ['../outside/a.json', 'root/link3'],
      ['../other/c.json', 'root/link4'],
      ['../other/c.json', 'root/link5'],
      ['own.json', 'root/link6'],
      ['../../root', 'outside/sub/back'],
    ] as const)
      symlinkSync(target, join(dir, link));
    const listed = relative(dir, await listAll(await openDirectorySource(join(dir, 'root'))));
    expect({ ...listed, keys: [...listed.keys].sort() }).toEqual({
      keys: ['other/c.json', 'outside/a.json', 'outside/sub/b.json', 'root/own.json'],
      problems: [],
    });
  });

  test('that loop, lead nowhere or to themselves are problems, and the rest is listed', async () => {
    const dir = tempDir();
    tree(dir, ['a/b/c.json']);
    symlinkSync('..', join(dir, 'a/b/up'));
    symlinkSync('.', join(dir, 'self'));
    symlinkSync('me', join(dir, 'me'));
    symlinkSync('nowhere', join(dir, 'broken'));
    const { keys: listed, problems } = relative(dir, await listAll(await openDirectorySource(dir)));
    expect(listed).toEqual(['a/b/c.json']);
    expect([...problems].sort()).toEqual([
      'cannot follow a/b/up: it leads back to a, which holds it',
      'cannot follow self: it leads back to ., which holds it',
      'cannot read broken: ENOENT: no such file or directory',
      'cannot read me: ELOOP: too many symbolic links encountered',
    ]);
  });

  test('two folders that link to each other are each listed once', async () => {
    const dir = tempDir();
    tree(dir, ['root/x.json', 'one/a.json', 'two/b.json']);
    symlinkSync('../one', join(dir, 'root/one'));
    symlinkSync('../two', join(dir, 'one/two'));
    symlinkSync('../one', join(dir, 'two/one'));
    expect([...(await keys(join(dir, 'root')))].sort()).toEqual([
      join(dir, 'one/a.json'),
      join(dir, 'two/b.json'),
      'x.json',
    ]);
  });

  test('a link as the root is the folder behind it', async () => {
    const dir = tempDir();
    tree(dir, ['real/a.json']);
    symlinkSync('real', join(dir, 'link'));
    const source = await openDirectorySource(join(dir, 'link'));
    expect(source.paths).toEqual([join(dir, 'real')]);
    expect(relative(dir, await listAll(source)).keys).toEqual(['real/a.json']);
  });
});

describe('what cannot be listed', () => {
  test('pipes, sockets and devices are named as problems', async () => {
    const dir = tempDir();
    tree(dir, ['a.json']);
    makePipe(join(dir, 'pipe'));
    symlinkSync('/dev/null', join(dir, 'device'));
    const server = createServer().listen(join(dir, 'socket'));
    await new Promise((listening) => server.once('listening', listening));
    const { keys: listed, problems } = relative(dir, await listAll(await openDirectorySource(dir)));
    server.close();
    expect(listed).toEqual(['a.json']);
    expect([...problems].sort()).toEqual(
      ['device', 'pipe', 'socket'].map((name) => `cannot read ${name}: it is a pipe, socket or device, not a file`),
    );
  });

  test('folders and files that vanish meanwhile are problems', async () => {
    const dir = tempDir();
    tree(dir, ['a/1.json', 'b/2.json']);
    const source = await openDirectorySource(dir);
    const listing = source.list({}, new AbortController().signal)[Symbol.asyncIterator]();
    const first = await listing.next();
    expect(first.value).toMatchObject({ key: join(dir, 'a/1.json') });
    rmSync(join(dir, 'b/2.json'));
    expect((await listing.next()).value).toMatchObject({
      key: join(dir, 'b/2.json'),
      error: { code: 'source-unreadable' },
    });
    rmSync(join(dir, 'a'), { recursive: true });
    rmdirSync(join(dir, 'b'));
    const gone = join(dir, '..', `${Date.now()}-gone`);
    renameSync(dir, gone);
    const again = await listAll(source);
    renameSync(gone, dir);
    expect(again).toMatchObject({
      files: [],
      problems: [
        {
          key: dir,
          error: { code: 'source-unreadable', message: `cannot read ${dir}: ENOENT: no such file or directory` },
        },
      ],
    });
  });

  test('a missing path is source-missing, and names what was asked', async () => {
    const dir = tempDir();
    tree(dir, ['file']);
    for (const path of [join(dir, 'nothing'), join(dir, 'file/below')]) {
      await expect(openDirectorySource(path)).rejects.toMatchObject({
        code: 'source-missing',
        message: `cannot find '${path}': no such file or folder`,
      });
    }
  });
});

describe('odd names', () => {
  const NAMES = [
    'line\nfeed.json',
    'quote\'".json',
    '..json',
    '...',
    '\u001b[31mred.json',
    'per%cent%20.json',
    '%FF.json',
    ' blank ',
    '-',
    '*.json',
    'é',
    '\u202egnp.json',
    'back\\slash',
    '$(id)',
    "';DROP TABLE x;--",
  ];

  test('are listed and read', async () => {
    const dir = tempDir();
    tree(dir, NAMES);
    const { texts, problems } = await readAll(await openDirectorySource(dir));
    expect(problems).toEqual([]);
    expect(Object.values(texts).sort()).toEqual([...NAMES].sort());
    expect(texts[join(dir, '%25FF.json')]).toBe('%FF.json');
  });

  test('of bytes that are no UTF-8 have a printable key, in files and in folders', async () => {
    const dir = tempDir();
    const folder = Buffer.concat([Buffer.from(`${dir}/`), Buffer.of(0x66, 0xff)]);
    mkdirSync(folder);
    writeFileSync(
      Buffer.concat([folder, Buffer.from('/'), Buffer.of(0xc3, 0x28, 0xe9), Buffer.from('é.json')]),
      'content',
    );
    symlinkSync(folder, join(dir, 'link'));
    const { texts, problems } = await readAll(await openDirectorySource(dir));
    expect({ texts, problems }).toEqual({ texts: { [`${dir}/f%FF/%C3(%E9é.json`]: 'content' }, problems: [] });
  });
});

describe('a file', () => {
  test('is a source by itself, under its real path', async () => {
    const dir = tempDir();
    tree(dir, ['2020-01-01/a.json']);
    symlinkSync('2020-01-01/a.json', join(dir, 'link'));
    const source = await openDirectorySource(join(dir, 'link'));
    const { files } = await listAll(source, { fromMs: Date.parse('2024-01-01') });
    expect(source.paths).toEqual([join(dir, '2020-01-01/a.json')]);
    expect(files).toMatchObject([{ key: join(dir, '2020-01-01/a.json'), hint: { day: null }, sizeBytes: 17 }]);
    expect(
      files.map(({ content }) => Buffer.from((content.type === 'file' && readWhole(content)?.bytes) || []).toString()),
    ).toEqual(['2020-01-01/a.json']);
  });

  test('is pruned as any other by what its name tells', async () => {
    const dir = tempDir();
    tree(dir, [key('2024-05-07')]);
    expect(await keys(join(dir, key('2024-05-07')), { fromMs: Date.parse('2024-06-01') })).toEqual([]);
  });
});

describe('a glob', () => {
  const FILES = ['a/1.json', 'a/2.json.gz', 'a/deep/3.json', 'b/4.json', 'b (1)/5.json', '.hid/6.json', 'top.json'];
  const cases: readonly (readonly [pattern: string, expected: readonly string[]])[] = [
    ['*.json', ['top.json']],
    ['*/*.json', ['.hid/6.json', 'a/1.json', 'b (1)/5.json', 'b/4.json']],
    ['**/*.json', ['.hid/6.json', 'a/1.json', 'a/deep/3.json', 'b (1)/5.json', 'b/4.json', 'top.json']],
    ['a/**', ['a/1.json', 'a/2.json.gz', 'a/deep/3.json']],
    ['a/**/3.json', ['a/deep/3.json']],
    ['{a,b}/[0-9].json', ['a/1.json', 'b/4.json']],
    ['[!ab.]*', ['top.json']],
    ['b*', ['b (1)/5.json', 'b/4.json']],
    ['b (?)/*', ['b (1)/5.json']],
    ['a/{1,2.json}*', ['a/1.json', 'a/2.json.gz']],
    ['./a/./*.gz', ['a/2.json.gz']],
    ['a//*.gz', ['a/2.json.gz']],
    ['a/*{.gz,{1,3}.json}', ['a/1.json', 'a/2.json.gz']],
  ];
  test.each(cases)('%s', async (pattern, expected) => {
    const dir = tempDir();
    tree(dir, FILES);
    const listed = relative(dir, await listAll(await openGlobSource(`${dir}/${pattern}`)));
    expect({ ...listed, keys: [...listed.keys].sort() }).toEqual({ keys: expected, problems: [] });
  });

  test('keeps the order of days and prunes by scope', async () => {
    const dir = tempDir();
    const all = ['2024-05-07', '2024-05-06', '2023-05-07'].map((day) => key(day));
    tree(dir, all);
    const source = await openGlobSource(`${dir}/AWSLogs/*/CloudTrail/*/**/*.json.gz`);
    expect(relative(dir, await listAll(source)).keys).toEqual(all);
    expect(relative(dir, await listAll(source, { fromMs: Date.parse('2024-01-01') })).keys).toEqual(all.slice(0, 2));
  });

  test('lists a file once that it matches both by itself and through a link', async () => {
    const dir = tempDir();
    tree(dir, ['data/2024/x.json', 'data/old/y.json', 'far/z.json']);
    symlinkSync('2024', join(dir, 'data/current'));
    symlinkSync('../far', join(dir, 'data/far1'));
    symlinkSync('../far', join(dir, 'data/far2'));
    const list = async (pattern: string) =>
      [...relative(dir, await listAll(await openGlobSource(`${dir}/${pattern}`))).keys].sort();
    expect(await list('data/*/*.json')).toEqual(['data/2024/x.json', 'data/old/y.json', 'far/z.json']);
    expect(await list('data/cur*/*.json')).toEqual(['data/2024/x.json']);
    expect(await list('data/far[12]')).toEqual(['far/z.json']);
    expect(await list('data/**/*.json')).toEqual(['data/2024/x.json', 'data/old/y.json']);
  });

  test('that matches nothing is source-missing, one that cannot be understood usage-invalid', async () => {
    const dir = tempDir();
    tree(dir, FILES);
    for (const [pattern, code] of [
      ['*.gz', 'source-missing'],
      ['nothing/*.gz', 'source-missing'],
      ['*/../a', 'usage-invalid'],
      ['{a/1,b/4}.json', 'usage-invalid'],
      ['[z-a]', 'usage-invalid'],
    ] as const) {
      await expect(openGlobSource(`${dir}/${pattern}`), pattern).rejects.toMatchObject({ code });
    }
  });

  test('starts in the current folder when it begins with a special character', async () => {
    const source = await openGlobSource('packag*.json');
    expect((await listAll(source)).files.map(({ sizeBytes }) => sizeBytes)).toContain(statSync('package.json').size);
  });
});
