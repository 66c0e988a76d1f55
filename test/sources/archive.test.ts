/** Zip, tar and compressed tar: members, order, odd forms, and damage. */
import { execFileSync } from 'node:child_process';
import { createWriteStream, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { type EndOptions, ZipFile } from 'yazl';
import type { Source } from '../../src/source.ts';
import { openDirectorySource } from '../../src/sources/directory.ts';
import { openSource } from '../../src/sources/open.ts';
import { listAll, readAll, relative, tempDir, tree } from './support.ts';

const STDIN = Readable.from([]);
const LOGS = [
  'AWSLogs/123456789012/CloudTrail/us-east-1/2024/05/06/b.json.gz',
  'AWSLogs/123456789012/CloudTrail/us-east-1/2024/05/07/a.json.gz',
  'AWSLogs/123456789012/CloudTrail/eu-west-1/2023/05/07/c.json.gz',
  'notes.txt',
];
const NEWEST_FIRST = [LOGS[1], LOGS[0], LOGS[2], LOGS[3]];
/** Long enough that a cut falls inside. */
const CONTENT = Object.fromEntries(LOGS.map((name) => [name, Buffer.from(`${name} `.repeat(500))]));

async function zip(path: string, add: (file: ZipFile) => void, end: Partial<EndOptions> = {}): Promise<string> {
  const file = new ZipFile();
  add(file);
  file.end(end as EndOptions);
  await pipeline(file.outputStream, createWriteStream(path));
  return path;
}

function addLogs(file: ZipFile, options: { compress?: boolean; forceZip64Format?: boolean } = {}): void {
  for (const name of LOGS) file.addBuffer(gzipSync(CONTENT[name] ?? ''), name, { ...options, mtime: new Date(0) });
}

/** One local header and content, as writers make them that know the sizes beforehand. */
function localMember(name: Buffer, content: Buffer, options: { flags?: number; method?: number } = {}): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(options.flags ?? 0, 6);
  header.writeUInt16LE(options.method ?? 0, 8);
  header.writeUInt32LE(crc32(content), 14);
  header.writeUInt32LE(content.length, 18);
  header.writeUInt32LE(content.length, 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name, content]);
}

/** A whole zip of members made by localMember(). */
function rawZip(members: readonly { name: Buffer; content: Buffer; flags?: number; method?: number }[]): Buffer {
  const locals = members.map((member) => localMember(member.name, member.content, member));
  let offset = 0;
  const directory = members.map((member, index) => {
    const local = locals[index] ?? Buffer.alloc(0);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    local.copy(entry, 8, 6, 30);
    entry.writeUInt16LE(0, 30);
    entry.writeUInt32LE(offset, 42);
    offset += local.length;
    return Buffer.concat([entry, member.name]);
  });
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

function expectedTexts(path: string, names: readonly string[] = LOGS): Record<string, string> {
  return Object.fromEntries(names.map((name) => [`${path}!${name}`, (CONTENT[name] ?? '').toString()]));
}

describe('a zip', () => {
  test.each([
    ['deflated', {}, {}],
    ['stored', { compress: false }, {}],
    ['zip64', { forceZip64Format: true }, { forceZip64Format: true }],
  ])('of %s members is read in place, newest day first', async (_name, options, end) => {
    const dir = tempDir();
    const path = await zip(join(dir, 'evidence.bin'), (file) => addLogs(file, options), end);
    const source = await openSource(path, STDIN);
    const { files, problems } = await listAll(source);
    expect(problems).toEqual([]);
    expect(source.paths).toEqual([path]);
    expect(files.map(({ key }) => key)).toEqual(NEWEST_FIRST.map((name) => `${path}!${name}`));
    expect(files.map(({ content }) => content.type)).toEqual(['file', 'file', 'file', 'file']);
    expect(await readAll(source)).toEqual({ texts: expectedTexts(path), problems: [] });
  });

  test('with data descriptors is read, and a member changes its version with its content', async () => {
    const dir = tempDir();
    const path = join(dir, 'evidence.zip');
    const make = (content: string) =>
      zip(path, (file) => file.addReadStream(Readable.from([Buffer.from(content)]), 'a.json'));
    await make('one');
    const source = await openSource(path, STDIN);
    expect(await readAll(source)).toEqual({ texts: { [`${path}!a.json`]: 'one' }, problems: [] });
    const [listed] = (await listAll(source)).files;
    const before = listed?.version;
    expect(listed?.content).toMatchObject({ crc32: crc32('one') });
    await make('two');
    const after = (await listAll(await openSource(path, STDIN))).files[0]?.version;
    expect([before, after]).toEqual([`${crc32('one').toString(16)}-3`, `${crc32('two').toString(16)}-3`]);
  });

  test('prunes members by scope', async () => {
    const path = await zip(join(tempDir(), 'evidence.zip'), addLogs);
    const { files } = await listAll(await openSource(path, STDIN), { fromMs: Date.parse('2024-05-07') });
    expect(files.map(({ key }) => key.split('!')[1])).toEqual([LOGS[1], LOGS[3]]);
  });

  test('encrypted members and unknown methods are problems that name the member, and the others are listed', async () => {
    const dir = tempDir();
    const path = join(dir, 'evidence.zip');
    const content = Buffer.from('content');
    writeFileSync(
      path,
      rawZip([
        { name: Buffer.from('secret.json'), content, flags: 1 },
        { name: Buffer.from('lzma.json'), content, method: 14 },
        { name: Buffer.from('plain.json'), content },
      ]),
    );
    const listed = relative(dir, await listAll(await openSource(path, STDIN)));
    expect(listed).toEqual({
      keys: ['evidence.zip!plain.json'],
      problems: [
        'cannot read evidence.zip!lzma.json: compression method 14 is not known, only stored (0) and deflate (8)',
        'cannot read evidence.zip!secret.json: it is encrypted',
      ],
    });
  });

  test('names with "..", roots, backslashes, bad bytes, and names that occur twice are read', async () => {
    const dir = tempDir();
    const path = join(dir, 'evidence.zip');
    const names = [
      Buffer.from('../../etc/a'),
      Buffer.from('/root'),
      Buffer.from('AWSLogs\\123456789012\\CloudTrail\\us-east-1\\2024\\05\\07\\x'),
      Buffer.of(0xff, 0x61),
      Buffer.from('two'),
      Buffer.from('two'),
    ];
    const members = names.map((name, index) => ({ name, content: Buffer.from(`${index}`) }));
    writeFileSync(path, rawZip([...members, { name: Buffer.from('folder/'), content: Buffer.alloc(0) }]));
    const source = await openSource(path, STDIN);
    const { texts, problems } = await readAll(source);
    const offset = rawZip(members.slice(0, 5)).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    expect(problems).toEqual([]);
    expect(texts).toEqual({
      [`${path}!../../etc/a`]: '0',
      [`${path}!/root`]: '1',
      [`${path}!AWSLogs\\123456789012\\CloudTrail\\us-east-1\\2024\\05\\07\\x`]: '2',
      [`${path}!%FFa`]: '3',
      [`${path}!two`]: '4',
      [`${path}!two#${offset}`]: '5',
    });
    expect((await listAll(source)).files[0]?.hint.day).toBe('2024-05-07');
  });

  test.each([
    [
      'deflated, with sizes behind the content',
      (file: ZipFile) => LOGS.forEach((name) => file.addReadStream(Readable.from([CONTENT[name] ?? '']), name)),
    ],
    ['stored, with sizes before it', (file: ZipFile) => addLogs(file, { compress: false })],
    ['zip64', (file: ZipFile) => addLogs(file, { forceZip64Format: true })],
  ])('without its directory gives all members (%s), and one problem', async (_name, add) => {
    const dir = tempDir();
    const whole = readFileSync(await zip(join(dir, 'whole.zip'), add));
    const path = join(dir, 'cut.zip');
    writeFileSync(path, whole.subarray(0, whole.indexOf(Buffer.from([0x50, 0x4b, 1, 2]))));
    const source = await openSource(path, STDIN);
    const { texts, problems } = await readAll(source);
    expect(texts).toEqual(expectedTexts(path));
    expect(problems).toEqual([expect.stringContaining(`cannot read ${path} to its end: End of central directory`)]);
    const checksums = async (of: Source) =>
      new Set((await listAll(of)).files.map(({ content }) => ('crc32' in content ? content.crc32 : null)));
    expect(await checksums(source)).toEqual(await checksums(await openSource(join(dir, 'whole.zip'), STDIN)));
  });

  test('cut inside a member gives the members before it, and of that one what there is', async () => {
    const dir = tempDir();
    const whole = readFileSync(await zip(join(dir, 'whole.zip'), (file) => addLogs(file, { compress: false })));
    const path = join(dir, 'cut.zip');
    const third = whole.indexOf(Buffer.from(LOGS[2] ?? '')) + (LOGS[2] ?? '').length;
    writeFileSync(path, whole.subarray(0, third + 60));
    const { texts, problems } = await readAll(await openSource(path, STDIN));
    const { [`${path}!${LOGS[2]}`]: partial, ...others } = texts;
    expect(others).toEqual(expectedTexts(path, LOGS.slice(0, 2)));
    expect((CONTENT[LOGS[2] ?? ''] ?? '').toString().startsWith(partial ?? 'absent')).toBe(true);
    expect(problems).toHaveLength(1);
  });

  test('with a damaged directory gives every member once, and one problem', async () => {
    const dir = tempDir();
    const path = await zip(join(dir, 'evidence.zip'), (file) => addLogs(file, { compress: false }));
    const bytes = readFileSync(path);
    const first = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    const second = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]), first + 4);
    bytes[bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]), second + 4)] = 0;
    writeFileSync(path, bytes);
    const source = await openSource(path, STDIN);
    expect(await readAll(source)).toEqual({
      texts: expectedTexts(path),
      problems: [expect.stringContaining('invalid central directory file header signature')],
    });
    expect((await listAll(source)).files).toHaveLength(LOGS.length);
  });

  test('whose directory points to nowhere names each such member', async () => {
    const dir = tempDir();
    const path = join(dir, 'evidence.zip');
    const bytes = rawZip([{ name: Buffer.from('a'), content: Buffer.from('a') }]);
    bytes.writeUInt32LE(7, bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 42);
    writeFileSync(path, bytes);
    expect(relative(dir, await listAll(await openSource(path, STDIN)))).toEqual({
      keys: [],
      problems: ['cannot read evidence.zip!a: there is no member at byte 7 of the zip'],
    });
  });

  test('with more members of one day than are sorted at once lists each once, and tells apart those of one name', async () => {
    const path = join(tempDir(), 'evidence.zip');
    const many = Array.from({ length: 60_000 }, (_, index) => `${index}`);
    const names = ['two', ...many, LOGS[1] ?? '', 'two'];
    const members = names.map((name) => ({ name: Buffer.from(name), content: Buffer.from(name) }));
    writeFileSync(path, rawZip(members));
    const { files, problems } = await listAll(await openSource(path, STDIN));
    expect(problems).toEqual([]);
    expect(files[0]?.hint.day).toBe('2024-05-07');
    const last = rawZip(members.slice(0, -1)).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    expect(files.map(({ key }) => key.slice(path.length + 1)).toSorted()).toEqual(
      [...names.slice(0, -1), `two#${last}`].toSorted(),
    );
  });

  test('that is cut while it is listed ends in a problem', async () => {
    const path = join(tempDir(), 'evidence.zip');
    const members = Array.from({ length: 60_000 }, (_, index) => ({
      name: Buffer.from(`AWSLogs/123456789012/CloudTrail/us-east-1/2024/05/${index % 2 === 0 ? '06' : '07'}/${index}`),
      content: Buffer.from('x'),
    }));
    writeFileSync(path, rawZip(members));
    const source = await openSource(path, STDIN);
    let listed = 0;
    const problems: string[] = [];
    for await (const item of source.list({}, new AbortController().signal)) {
      if ('error' in item) problems.push(item.error.message);
      else if (++listed === 30_000) truncateSync(path, 0);
    }
    expect(listed).toBe(30_000);
    expect(problems).toEqual([`cannot read ${path}: it changed while it was listed`]);
  });

  test('that is empty lists nothing', async () => {
    const path = await zip(join(tempDir(), 'empty.zip'), () => {});
    expect(await listAll(await openSource(path, STDIN))).toEqual({ files: [], problems: [] });
  });
});

async function tar(
  path: string,
  names: readonly string[] = LOGS,
  wrap: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<string> {
  const archive = pack();
  archive.entry({ name: 'AWSLogs/', type: 'directory' });
  archive.entry({ name: 'link', type: 'symlink', linkname: LOGS[0] ?? '' });
  for (const name of names) archive.entry({ name, mtime: new Date(1000) }, gzipSync(CONTENT[name] ?? name));
  archive.finalize();
  writeFileSync(path, wrap(await buffer(archive)));
  return path;
}

describe.each([
  ['a tar', (bytes: Buffer) => bytes, 'file'],
  ['a compressed tar', (bytes: Buffer) => gzipSync(bytes), 'stream'],
])('%s', (_name, wrap, type) => {
  test('gives its files in order', async () => {
    const path = await tar(join(tempDir(), 'evidence.bin'), LOGS, wrap);
    const source = await openSource(path, STDIN);
    const { files, problems } = await listAll(source);
    expect(problems).toEqual([]);
    expect(files.map(({ key, content }) => [key, content.type])).toEqual(LOGS.map((name) => [`${path}!${name}`, type]));
    expect(files[0]).toMatchObject({
      sizeBytes: gzipSync(CONTENT[LOGS[0] ?? ''] ?? '').length,
      hint: { account: '123456789012', day: '2024-05-06' },
    });
    expect(new Set(files.map(({ version }) => version)).size).toBe(LOGS.length);
    expect(await readAll(source)).toEqual({ texts: expectedTexts(path), problems: [] });
  });

  test('prunes members by scope', async () => {
    const path = await tar(join(tempDir(), 'evidence.tar'), LOGS, wrap);
    const { files } = await listAll(await openSource(path, STDIN), { accounts: ['999999999999'] });
    expect(files.map(({ key }) => key)).toEqual([`${path}!notes.txt`]);
  });

  test.each(['ustar', 'gnu', 'pax', 'v7'])(
    'made by tar in the format %s is read, with long and odd names',
    async (format) => {
      const dir = tempDir();
      const long = format === 'v7' ? 'short' : `${'deep/'.repeat(18)}${'n'.repeat(60)}.json`;
      const names = [
        long,
        'line\nfeed',
        "quote'",
        ...(format === 'gnu' || format === 'pax' ? [`${'longer/'.repeat(40)}é${'x'.repeat(150)}`] : []),
      ];
      tree(join(dir, 'in'), names);
      const file = join(dir, 'x.tar');
      execFileSync('tar', ['-cf', file, `--format=${format}`, '-C', join(dir, 'in'), ...names]);
      // What the oldest format holds cannot be told from noise: it is taken for a log file.
      const path = join(dir, 'evidence');
      writeFileSync(path, wrap(readFileSync(file)));
      const source = await openSource(path, STDIN);
      const { files } = await listAll(source);
      const expected = Object.fromEntries(names.map((name) => [`${path}!${name}`, name]));
      expect(format === 'v7' ? files.map(({ key }) => key) : await readAll(source)).toEqual(
        format === 'v7' ? [path] : { texts: expected, problems: [] },
      );
    },
  );

  test('of several tars strung together gives the files of all', async () => {
    const dir = tempDir();
    const first = readFileSync(await tar(join(dir, '1'), LOGS.slice(0, 2)));
    const second = readFileSync(await tar(join(dir, '2'), LOGS.slice(2)));
    const path = join(dir, 'both.tar');
    writeFileSync(path, wrap(Buffer.concat([first, second])));
    expect(await readAll(await openSource(path, STDIN))).toEqual({ texts: expectedTexts(path), problems: [] });
  });

  test.each([
    [
      'inside a member',
      (bytes: Buffer) => bytes.subarray(0, bytes.indexOf(LOGS[2] ?? '') + 600),
      `it ends inside ${LOGS[2]}`,
      3,
    ],
    [
      'inside a header',
      (bytes: Buffer) => bytes.subarray(0, bytes.indexOf(LOGS[2] ?? '') + 300),
      'it ends inside the header at byte',
      2,
    ],
    [
      'between members',
      (bytes: Buffer) => bytes.subarray(0, bytes.indexOf(LOGS[2] ?? '')),
      'it has no end mark: it was cut short',
      2,
    ],
    [
      'by a broken header',
      (bytes: Buffer) => bytes.fill(0x41, bytes.indexOf(LOGS[2] ?? '') + 110, bytes.indexOf(LOGS[2] ?? '') + 120),
      'the header at byte',
      2,
    ],
  ])('damaged %s gives the members before, and one problem', async (_damage, damage, why, count) => {
    const dir = tempDir();
    const whole = readFileSync(await tar(join(dir, 'whole.tar')));
    const path = join(dir, 'evidence.tar');
    writeFileSync(path, wrap(damage(whole)));
    const { texts, problems } = await readAll(await openSource(path, STDIN));
    expect(Object.keys(texts)).toEqual(LOGS.slice(0, count).map((name) => `${path}!${name}`));
    expect(texts).toMatchObject(expectedTexts(path, LOGS.slice(0, 2)));
    expect(problems).toEqual([expect.stringContaining(`cannot read ${path} to its end: ${why}`)]);
  });

  test('whose extended header claims absurd sizes is damaged, not believed', async () => {
    const dir = tempDir();
    const header = (flag: string, size: string) => {
      const block = Buffer.alloc(512);
      block.write('name', 0);
      block.write(`${size}\0`, 124);
      block.write(`${flag}ustar\0`, 156);
      block.write('ustar\x0000', 257);
      block.write('        ', 148);
      const sum = block.reduce((total, byte) => total + byte, 0);
      block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      return block;
    };
    for (const [name, bytes, why] of [
      ['long', header('L', '77777777777'), 'announces 8589934591 bytes of names'],
      [
        'pax',
        Buffer.concat([
          header('x', '00000000024'),
          Buffer.from('20 size=-9007199254\n'.padEnd(512, '\0')),
          header('0', '00000000001'),
        ]),
        'states an impossible size',
      ],
      ['octal', header('0', 'not octal'), 'states an impossible size'],
    ] as const) {
      const path = join(dir, name);
      writeFileSync(path, wrap(Buffer.concat([bytes, Buffer.alloc(1024)])));
      expect(relative(dir, await listAll(await openSource(path, STDIN)))).toEqual({
        keys: [],
        problems: [expect.stringContaining(why)],
      });
    }
  });
});

describe('a tar', () => {
  test('with a member over 8 GiB, told in base 256 or by PAX, is read behind it', async () => {
    const dir = tempDir();
    for (const format of ['gnu', 'pax']) {
      tree(join(dir, format), ['behind.json']);
      const path = join(dir, `${format}.tar`);
      // A hole of 9 GiB in the file and in the tar takes no room on disk.
      writeFileSync(join(dir, format, 'big.json'), '');
      truncateSync(join(dir, format, 'big.json'), 9 * 2 ** 30);
      execFileSync('python3', [
        '-c',
        `import os,subprocess,sys
header = subprocess.Popen(['tar','-cf','-','--format=${format}','-C',sys.argv[1],'big.json'],stdout=subprocess.PIPE)
data = b''
while len(data) < (512 if '${format}' == 'gnu' else 1536): data += header.stdout.read(512)
header.kill()
tail = subprocess.check_output(['tar','-cf','-','-C',sys.argv[1],'behind.json'])
with open(sys.argv[2],'wb') as out:
  out.write(data); out.seek(9*2**30, 1); out.write(tail)`,
        join(dir, format),
        path,
      ]);
      const { files, problems } = await listAll(await openSource(path, STDIN));
      expect({ files: files.map(({ key, sizeBytes }) => [key, sizeBytes]), problems }).toEqual({
        files: [
          [`${path}!big.json`, 9 * 2 ** 30],
          [`${path}!behind.json`, 'behind.json'.length],
        ],
        problems: [],
      });
    }
  });

  test('names sparse members as problems', async () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'sparse.json'), '');
    truncateSync(join(dir, 'sparse.json'), 2 ** 20);
    for (const format of ['gnu', 'pax']) {
      execFileSync('tar', ['-cSf', join(dir, `${format}.tar`), `--format=${format}`, '-C', dir, 'sparse.json']);
      const { keys, problems } = relative(dir, await listAll(await openSource(join(dir, `${format}.tar`), STDIN)));
      expect({ keys, problems }).toEqual({
        keys: [],
        problems: [expect.stringContaining('it is stored as a sparse file')],
      });
    }
  });
});

describe('a compressed tar', () => {
  test('passes over members that are not opened, and over the rest of one that is given up', async () => {
    const dir = tempDir();
    const path = join(dir, 'evidence.tgz');
    const names = ['a', 'b', 'c'];
    const archive = pack();
    for (const name of names) archive.entry({ name }, name.repeat(500_000));
    archive.finalize();
    writeFileSync(path, gzipSync(await buffer(archive)));
    const read: string[] = [];
    for await (const item of (await openSource(path, STDIN)).list({}, new AbortController().signal)) {
      if ('error' in item || item.content.type !== 'stream' || item.key.endsWith('!a')) continue;
      const stream = await item.content.open();
      if (item.key.endsWith('!b')) {
        for await (const chunk of stream) {
          read.push(`${String(chunk).slice(0, 1)} …`);
          break;
        }
      }
      if (item.key.endsWith('!c')) read.push((await text(stream)) === 'c'.repeat(500_000) ? 'all of c' : 'not c');
    }
    expect(read).toEqual(['b …', 'all of c']);
  });

  test('gives the bytes of a member only once, and not after the next was asked for', async () => {
    const path = await tar(join(tempDir(), 'evidence.tgz'), LOGS, (bytes) => gzipSync(bytes));
    const { files } = await listAll(await openSource(path, STDIN));
    const first = files[0]?.content;
    expect(first?.type).toBe('stream');
    await expect(first?.type === 'stream' ? first.open() : null).rejects.toThrow(
      'was opened twice, or after the next member was asked for',
    );
  });

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -20), 'the file ends inside compressed data'],
    [
      'with a wrong checksum',
      (bytes: Buffer) => bytes.fill(bytes.at(-8) === 0 ? 1 : 0, bytes.length - 8, bytes.length - 7),
      'states CRC',
    ],
    [
      'with garbage behind it',
      (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('garbage')]),
      '7 bytes follow the compressed data',
    ],
  ])('%s gives the members before, and one problem', async (_name, damage, why) => {
    const path = await tar(join(tempDir(), 'evidence.tgz'), LOGS, (bytes) => damage(gzipSync(bytes)));
    const { texts, problems } = await readAll(await openSource(path, STDIN));
    expect(texts).toMatchObject(expectedTexts(path, LOGS.slice(0, 3)));
    expect(problems).toEqual([expect.stringContaining(why)]);
  });

  test('leaves no file open when the listing is given up', async () => {
    const dir = tempDir();
    const paths = [
      await tar(join(dir, 'a.tgz'), LOGS, (bytes) => gzipSync(bytes)),
      await tar(join(dir, 'a.tar')),
      await zip(join(dir, 'a.zip'), addLogs),
    ];
    const before = readdirSync('/proc/self/fd').length;
    for (const path of paths)
      for await (const _ of (await openSource(path, STDIN)).list({}, new AbortController().signal)) break;
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('garbage', () => {
  test('in any place of an archive ends in problems, never in an exception', async () => {
    const dir = tempDir();
    const wholes = [
      readFileSync(await zip(join(dir, 'zip'), addLogs)),
      readFileSync(
        await zip(join(dir, 'zip64'), (file) => addLogs(file, { forceZip64Format: true }), { forceZip64Format: true }),
      ),
      readFileSync(await tar(join(dir, 'tar'))),
      readFileSync(await tar(join(dir, 'tgz'), LOGS, (bytes) => gzipSync(bytes))),
    ];
    const path = join(dir, 'evidence');
    const change = fc.tuple(
      fc.nat(),
      fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff)),
      fc.integer({ min: 1, max: 8 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...wholes),
        fc.array(change, { maxLength: 5 }),
        fc.nat(),
        fc.boolean(),
        async (whole, changes, length, isCut) => {
          const bytes = Buffer.from(isCut ? whole.subarray(0, length % whole.length) : whole);
          for (const [at, value, count] of changes)
            bytes.fill(value, at % (bytes.length + 1), Math.min(bytes.length, (at % (bytes.length + 1)) + count));
          writeFileSync(path, bytes);
          const { problems } = await readAll(await openSource(path, STDIN));
          expect(problems.length).toBeLessThan(20);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('what is an archive', () => {
  test('is said by the content: neither a gzip log called .tar.gz nor a text called .zip is one', async () => {
    const dir = tempDir();
    tree(dir, {
      'log.tar.gz': gzipSync('{"Records":[]}'),
      'text.zip': 'PKnot',
      'short.tar': 'x',
      'log.json.gz': gzipSync('{}'),
      'empty.zip': '',
    });
    for (const name of readdirSync(dir)) {
      const { files } = await listAll(await openSource(join(dir, name), STDIN));
      expect(files.map(({ key }) => key)).toEqual([join(dir, name)]);
    }
  });

  test('in a folder is listed member by member, and an archive in an archive is a member', async () => {
    const dir = tempDir();
    tree(dir, ['logs/a.json']);
    await tar(join(dir, 'logs/t.tgz'), LOGS.slice(0, 1), (bytes) => gzipSync(bytes));
    await zip(join(dir, 'logs/z.zip'), (file) => file.addBuffer(deflateRawSync('x'), 'inner.zip'));
    await tar(join(dir, 'logs/named-otherwise'));
    const { keys } = relative(dir, await listAll(await openDirectorySource(join(dir, 'logs'))));
    expect([...keys].sort()).toEqual([
      'logs/a.json',
      'logs/named-otherwise',
      `logs/t.tgz!${LOGS[0]}`,
      'logs/z.zip!inner.zip',
    ]);
  });
});
