/** What the user names: standard input, pipes, paths, globs, and what is none of them. */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { openPayload } from '../../src/payload.ts';
import { openSource } from '../../src/sources/open.ts';
import { listAll, makePipe, readAll, tempDir, tree } from './support.ts';

const STDIN = Readable.from([]);

describe('openSource', () => {
  test('- is one log file called stdin, whose bytes come as they arrive, without an end', async () => {
    let sent = 0;
    const endless = Readable.from(
      (async function* () {
        for (;;) yield Buffer.from(`line ${sent++}\n`);
      })(),
      { highWaterMark: 1 },
    );
    const source = await openSource('-', endless);
    expect(source).toMatchObject({ name: '-', paths: [] });
    const { files } = await listAll(source);
    expect(files).toMatchObject([{ key: 'stdin', sizeBytes: 0, hint: { day: null }, content: { type: 'stream' } }]);
    const content = files[0]?.content;
    let read = '';
    for await (const slice of openPayload(content?.type === 'stream' ? await content.open() : STDIN)) {
      read += Buffer.from(slice).toString();
      if (read.includes('line 10\n')) break;
    }
    expect(read.startsWith('line 0\nline 1\n')).toBe(true);
    expect(endless.destroyed).toBe(true);
    expect(sent).toBeLessThan(100);
  });

  test('two runs over standard input never share a version', async () => {
    const versions = await Promise.all(
      [1, 2].map(async () => (await listAll(await openSource('-', STDIN))).files[0]?.version),
    );
    expect(new Set(versions).size).toBe(2);
  });

  test('a named pipe is read as a stream', async () => {
    const dir = tempDir();
    const pipe = join(dir, 'pipe');
    makePipe(pipe);
    const writer = spawn('sh', ['-c', `sleep 0.2; { printf '{"Records":'; sleep 0.2; printf '[]}'; } > '${pipe}'`]);
    expect(await readAll(await openSource(pipe, STDIN))).toEqual({ texts: { [pipe]: '{"Records":[]}' }, problems: [] });
    await new Promise((ended) => (writer.exitCode === null ? writer.once('exit', ended) : ended(null)));
  });

  test('a pipe that the shell made is read as a stream', () => {
    const script = `
      import { openSource } from './src/sources/open.ts';
      for await (const file of (await openSource(process.argv[1], process.stdin)).list({}, new AbortController().signal)) {
        let text = '';
        for await (const chunk of await file.content.open()) text += chunk;
        console.log(file.key === process.argv[1], text);
      }`;
    const run = `node --import tsx --input-type=module -e "$SCRIPT" <(printf one; sleep 0.1; printf two)`;
    const output = execFileSync('bash', ['-c', run], { env: { ...process.env, SCRIPT: script }, encoding: 'utf8' });
    expect(output).toBe('true onetwo\n');
  });

  test('a path that exists is taken as it is written, before it is a glob', async () => {
    const dir = tempDir();
    tree(dir, ['[a].json', 'a.json', 'b/*/c.json', 'b/d/c.json']);
    const keys = async (argument: string) =>
      (await listAll(await openSource(join(dir, argument), STDIN))).files.map(({ key }) => key.slice(dir.length + 1));
    expect(await keys('[a].json')).toEqual(['[a].json']);
    expect(await keys('[ab].json')).toEqual(['a.json']);
    expect(await keys('b/*')).toEqual(['b/*/c.json']);
    expect(await keys('b/[*d]/c.json')).toEqual(['b/*/c.json', 'b/d/c.json']);
  });

  test('a path relative to the current folder has an absolute key', async () => {
    const { files } = await listAll(await openSource('package.json', STDIN));
    expect(files.map(({ key }) => key)).toEqual([join(process.cwd(), 'package.json')]);
  });

  const dir = '/nothing/here';
  test.each([
    ['s3://', 'usage-invalid', "cannot read 's3://': expected s3://bucket or s3://bucket/prefix"],
    ['s3://My_Bucket/x', 'usage-invalid', "cannot read 's3://My_Bucket/x': expected s3://bucket or s3://bucket/prefix"],
    ['sqs://', 'usage-invalid', "cannot read 'sqs://': expected the name, URL or ARN of a queue"],
    ['', 'usage-invalid', "cannot read the source '': expected a path, a glob, or - for standard input"],
    ['a\0b', 'usage-invalid', "cannot read the source 'a\0b': expected a path, a glob, or - for standard input"],
    [dir, 'source-missing', "cannot find '/nothing/here': no such file or folder"],
    [`${dir}/*.gz`, 'source-missing', "cannot find '/nothing/here/*.gz': no such file or folder"],
    ['package.json/x', 'source-missing', "cannot find 'package.json/x': no such file or folder"],
    ['/dev/null', 'source-unreadable', "cannot read '/dev/null': it is a socket or device, not a file"],
    [`/${'n'.repeat(300)}`, 'source-unreadable', `cannot read /${'n'.repeat(300)}: ENAMETOOLONG: name too long`],
  ])('%j ends with %s', async (argument, code, message) => {
    await expect(openSource(argument, STDIN)).rejects.toMatchObject({ name: 'AppError', code, message });
  });
});
