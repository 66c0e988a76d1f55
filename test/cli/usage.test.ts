/** What a person may type wrong, or not know yet: help, exit statuses, and messages that name the thing. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIN, newFolder, trailhound } from './run.ts';

const cwd = newFolder();
const run = (...args: string[]) => trailhound(args, { cwd });

beforeAll(() => {
  mkdirSync(join(cwd, 'empty-store'));
  writeFileSync(join(cwd, 'bad.yaml'), 'store: x\nsources:\n  - a\nlimits:\n  max_ratio: many\n');
  writeFileSync(join(cwd, 'broken.yaml'), 'store: [\n');
  writeFileSync(join(cwd, 'parameter.yaml'), 'parameters:\n  denied-call-spike:\n    refusals: none\n');
  writeFileSync(join(cwd, 'detector.yaml'), 'parameters:\n  denied-call-spikes:\n    refusals: 3\n');
  writeFileSync(
    join(cwd, 'suppress.yaml'),
    'suppress:\n  - reason: x\n    owner: y\n    where:\n      principal: z\n      regoin: eu-west-1\n',
  );
  writeFileSync(
    join(cwd, 'silence.yaml'),
    'suppress:\n  - reason: x\n    owner: y\n    detector: root-console-logon\n',
  );
  writeFileSync(join(cwd, 'redact.yaml'), 'redact:\n  - waf.headers.cookie\n  - waf.hedders\n');
  writeFileSync(join(cwd, 'bad-list.txt'), '192.0.2.1\n300.1.2.3\n');
  writeFileSync(join(cwd, 'empty-list.txt'), '# nothing yet\n');
});

afterAll(() => rmSync(cwd, { recursive: true }));

const COMMANDS: readonly (readonly string[])[] = [
  [],
  ['scan'],
  ['ingest'],
  ['hunt'],
  ['sql'],
  ['query'],
  ['query', 'list'],
  ['query', 'show'],
  ['query', 'run'],
  ['alerts'],
  ['alerts', 'list'],
  ['alerts', 'show'],
  ['detectors'],
  ['detectors', 'list'],
  ['detectors', 'show'],
  ['detectors', 'test'],
  ['detectors', 'new'],
  ['suppress'],
  ['suppress', 'add'],
  ['suppress', 'list'],
  ['suppress', 'remove'],
  ['status'],
  ['store'],
  ['store', 'info'],
  ['store', 'compact'],
  ['store', 'check'],
  ['store', 'prune'],
  ['store', 'export'],
  ['connect'],
];

describe('--help', () => {
  test.concurrent.each(COMMANDS.map((words) => [words.join(' ') || 'trailhound', words] as const))(
    'of %s shows examples and the global options',
    async (_, words) => {
      const { status, stdout, stderr } = await run(...words, '--help');
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: trailhound/);
      expect(stdout).toMatch(/\nExamples:\n {2}\$ .*trailhound/);
      expect(stdout).toContain('--output <form>');
    },
  );

  test('lists every command', async () => {
    const { stdout } = await run('--help');
    for (const [name] of COMMANDS) if (name !== undefined) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });
});

test('--version prints the version alone', async () => {
  expect(await run('--version')).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
});

describe('wrong input', () => {
  test.concurrent.each<readonly [string, readonly string[], number, readonly (string | RegExp)[]]>([
    ['an unknown command', ['scna'], 2, ["unknown command 'scna'", 'Did you mean scan?']],
    ['an unknown sub-command', ['query', 'rnu'], 2, ["unknown command 'rnu'", 'Did you mean run?']],
    [
      'an unknown option',
      ['scan', '--fail-in', 'high', '.'],
      2,
      ["unknown option '--fail-in'", 'Did you mean --fail-on?'],
    ],
    ['an unknown form of output', ['status', '--output', 'xml'], 2, ["'xml' is invalid", 'table, json, jsonl']],
    ['an unknown severity', ['alerts', 'list', '--min-severity', 'hgih'], 2, ["'hgih' is invalid", 'critical']],
    ['no number', ['status', '--limit', 'ten'], 2, ["'ten' is invalid", 'expected a whole number']],
    ['a missing argument', ['alerts', 'show'], 2, ["missing required argument 'id'"]],
    ['no source', ['scan'], 2, ['no source was named', 'trailhound scan ./cloudtrail-archive']],
    ['a path that is not there', ['scan', 'nowhere'], 2, ['nowhere']],
    ['a glob that names nothing', ['ingest', 'nothing-*.gz'], 2, ['nothing-*.gz']],
    ['a bad time', ['scan', '.', '--from', 'yesterday'], 2, ["cannot read the time 'yesterday'", '2026-01-31', '7d']],
    ['a day that does not exist', ['hunt', '--from', '2026-02-31'], 2, ["cannot read the time '2026-02-31'"]],
    [
      'a window that ends before it begins',
      ['hunt', '--from', '1d', '--to', '2d'],
      2,
      ['--from 1d is not before --to 2d'],
    ],
    ['a bad account', ['scan', '.', '--account', '1234'], 2, ["--account '1234'", '12 digits']],
    ['a bad region', ['scan', '.', '--region', 'Frankfurt'], 2, ["--region 'Frankfurt'", 'eu-central-1']],
    ['a missing store', ['status'], 2, ['there is none', '--store']],
    ['a missing store for SQL', ['sql', 'SELECT 1'], 2, ['there is none']],
    [
      'an unknown detector',
      ['hunt', 'denied-call-spik'],
      2,
      ["no detector has the id 'denied-call-spik'", "Did you mean 'denied-call-spike'?"],
    ],
    [
      'an unknown detector to show',
      ['detectors', 'show', 'nope'],
      2,
      ["no detector has the id 'nope'", 'detectors list'],
    ],
    ['a parameter of an unknown detector', ['hunt', '--param', 'nope.x=1'], 2, ["no detector has the id 'nope'"]],
    [
      'an unknown parameter',
      ['detectors', 'show', 'denied-call-spike', '--param', 'denied-call-spike.calls=3'],
      2,
      ["has no parameter 'calls'", 'refusals'],
    ],
    [
      'a parameter without a value',
      ['hunt', '--param', 'denied-call-spike.refusals'],
      2,
      ["cannot read --param 'denied-call-spike.refusals'", '<detector>.<name>=<value>'],
    ],
    [
      'an unknown question',
      ['query', 'run', 'who-deletd'],
      2,
      ["no saved question has the id 'who-deletd'", "Did you mean 'who-deleted'?"],
    ],
    [
      'a config that is not there',
      ['status', '--config', 'no.yaml'],
      2,
      ['cannot read the config', 'no.yaml: no such file'],
    ],
    [
      'a config with a bad value',
      ['status', '--config', 'bad.yaml'],
      2,
      [/bad\.yaml:5:3: limits\.max_ratio: expected a whole number/],
    ],
    ['a config that is no YAML', ['status', '--config', 'broken.yaml'], 2, [/broken\.yaml:\d+:\d+: not valid YAML/]],
    [
      'a config with a bad parameter',
      ['detectors', 'show', 'denied-call-spike', '--config', 'parameter.yaml'],
      2,
      ["'refusals'", "'denied-call-spike'"],
    ],
    [
      'a config with an unknown detector',
      ['hunt', '--config', 'detector.yaml'],
      2,
      ["'denied-call-spikes'", "Did you mean 'denied-call-spike'?"],
    ],
    ['a list that is not there', ['hunt', '--list', 'no.txt'], 2, ['cannot read the list no.txt: no such file']],
    [
      'a list with a bad address',
      ['hunt', '--list', 'bad-list.txt'],
      2,
      ["bad-list.txt:2: '300.1.2.3' is neither an address nor a network"],
    ],
    ['an empty list', ['hunt', '--list', 'empty-list.txt'], 2, ['empty-list.txt is empty']],
    ['a suppression of everything', ['suppress', 'add', '--reason', 'x'], 2, ['would hide every alert']],
    [
      'a suppression without a reason',
      ['suppress', 'add', 'denied-call-spike'],
      2,
      ["'--reason <text>' not specified"],
    ],
    [
      'a suppression that has ended',
      ['suppress', 'add', 'denied-call-spike', '--reason', 'x', '--until', '2020-01-01'],
      2,
      ['lies in the past'],
    ],
    [
      'a suppression with a bad condition',
      ['suppress', 'add', '--reason', 'x', '--where', 'principal'],
      2,
      ["cannot read --where 'principal'"],
    ],
    [
      'a suppression by a column that nothing has',
      ['suppress', 'add', '--reason', 'x', '--where', 'princpal=x'],
      2,
      [
        "--where 'princpal=x'",
        "has the column 'princpal'",
        "Did you mean 'principal'?",
        'Columns: account_id, ',
        'user_agent',
      ],
    ],
    [
      "a suppression of a detector by another one's subject",
      ['suppress', 'add', 'root-console-login', '--reason', 'x', '--where', 'security_group=sg-1'],
      2,
      ["has the column 'security_group'"],
    ],
    [
      'a config that suppresses by a column that nothing has',
      ['hunt', '--config', 'suppress.yaml'],
      2,
      [/suppress\.yaml:6:7: suppress\.0\.where\.regoin: .*Did you mean 'region'\?/],
    ],
    [
      'a config that suppresses a detector that there is not',
      ['hunt', '--config', 'silence.yaml'],
      2,
      [
        /silence\.yaml:4:\d+: suppress\.0\.detector: there is no detector 'root-console-logon'\. Did you mean 'root-console-login'\?/,
      ],
    ],
    [
      'a config that redacts a column that nothing has',
      ['ingest', '.', '--config', 'redact.yaml'],
      2,
      [
        /redact\.yaml:3:5: redact\.1: cannot redact 'waf\.hedders': no column is called 'hedders'\. Did you mean 'headers'\?/,
      ],
    ],
    ['a detector with a bad name', ['detectors', 'new', 'Bad_Name'], 2, ["'Bad_Name'", 'kebab-case']],
    ['a detector whose name says nothing', ['detectors', 'new', 'suspicious-call'], 2, ["'suspicious-call'"]],
    [
      'a detector whose name is taken',
      ['detectors', 'new', 'denied-call-spike'],
      2,
      ["the id 'denied-call-spike' is taken"],
    ],
    ['Parquet where none can be', ['query', 'list', '--output', 'parquet'], 2, ['cannot print Parquet here', '--file']],
    [
      'a file for another form',
      ['sql', 'SELECT 1', '--file', 'x.csv', '--output', 'csv'],
      2,
      ['--file is for --output parquet only'],
    ],
    [
      'a suppression with an empty reason',
      ['suppress', 'add', 'denied-call-spike', '--reason', ' '],
      2,
      ['--reason is empty'],
    ],
    ['an unknown tag', ['hunt', '--tag', 'nope'], 2, ["no detector has the tag 'nope'", 'Tags: ']],
    [
      'a choice that leaves no detector',
      ['hunt', 'denied-call-spike', '--min-severity', 'critical'],
      2,
      ['no detector is left to run', '--min-severity'],
    ],
    ['nothing to prune by', ['store', 'prune'], 2, ['--older-than 400d']],
  ])('%s', async (_, args, expected, texts) => {
    const { status, stdout, stderr } = await run(...args);
    expect({ status, stdout }, stderr).toEqual({ status: expected, stdout: '' });
    for (const text of texts)
      expect(stderr).toMatch(
        text instanceof RegExp ? text : new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')),
      );
    // A message for a person, not a trace of our code.
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  test('is printed without what a terminal would obey', async () => {
    const { status, stderr } = await run('scan', '\u001b]0;owned\u0007nowhere\u202e');
    expect(status).toBe(2);
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(stderr).toContain('\\x1b]0;owned\\x07nowhere\\u{202e}');
  });

  test('makes no store', async () => {
    await run('scan', 'nowhere');
    expect((await run('status')).stderr).toContain('there is none');
  });
});

describe('a reader that goes away', () => {
  test('ends the run quietly', async () => {
    const child = spawn(
      'sh',
      ['-c', `"${process.execPath}" "${MAIN}" detectors list --output jsonl | head -n 1; exit 0`],
      { cwd },
    );
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
    });
    await new Promise((done) => child.on('close', done));
    expect(stderr).not.toMatch(/EPIPE|Error/);
  });
});

describe.skipIf(!existsSync('/dev/full'))('a disk that takes no more output', () => {
  const full = (command: string) =>
    spawnSync('sh', ['-c', `"${process.execPath}" "${MAIN}" ${command}`], { cwd, encoding: 'utf8' });

  test.each(['detectors list', 'detectors list --output jsonl', '--help', '--version'])(
    'ends %s with 3 and says so',
    (command) => {
      const { status, stderr } = full(`${command} > /dev/full`);
      expect({ status, stderr }).toEqual({
        status: 3,
        stderr: expect.stringMatching(/^error: cannot write to stdout: ENOSPC: .*\nSend the output elsewhere, .*\n$/),
      });
    },
  );

  test('for messages changes no exit status', () => {
    expect(full('detectors list > /dev/null 2> /dev/full').status).toBe(0);
    expect(full('detectors show nothing 2> /dev/full').status).toBe(2);
  });
});
