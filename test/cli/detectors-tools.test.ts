/** Lint, test, backtest and coverage of detectors as a person runs them. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MAIN, newFolder, trailhound } from './run.ts';

const put = (dir: string, name: string, text: string): void => {
  mkdirSync(join(dir, name, '..'), { recursive: true });
  writeFileSync(join(dir, name), text);
};

const yaml = (id: string, changes: Readonly<Record<string, string>> = {}): string => {
  const lines: Readonly<Record<string, string>> = {
    id,
    title: 'A user was created',
    description: 'Somebody made a user.',
    severity: 'low',
    severityReason: 'Every day.',
    table: 'cloudtrail',
    attack: '[{ technique: T1136.003, version: 16 }]',
    when: '{ event_source: iam.amazonaws.com, event_name: CreateUser, outcome: success }',
    slot: 'event',
    subject: '[principal]',
    summary: "'{principal} called {event_name}'",
    falsePositives: '[New people.]',
    blindSpots: '[Other trails.]',
    examples: `
  - name: it fires
    records: [{ eventSource: iam.amazonaws.com, eventName: CreateUser }]
    alerts: [{ subject: {} }]
  - name: it was refused
    records: [{ eventSource: iam.amazonaws.com, eventName: CreateUser, errorCode: AccessDenied }]
    alerts: []`,
    ...changes,
  };
  return `${Object.entries(lines)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n')}\n`;
};

describe('without a store', () => {
  let cwd: string;
  const run = (...args: string[]) => trailhound(['detectors', ...args], { cwd });
  beforeEach(() => {
    cwd = newFolder();
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  test('lint tells of each problem with its place, and ends with a status of its own', async () => {
    put(
      cwd,
      'detectors/made-user.yaml',
      yaml('made-user', { when: '{ event_source: iam.amazonaws.com, event_name: CreateUsr }' }),
    );
    const { status, stdout, stderr } = await run('lint', 'made-user', '--output', 'json');
    expect({ status, problems: JSON.parse(stdout) as unknown, stderr }).toEqual({
      status: 2,
      problems: [
        {
          detector: 'made-user',
          level: 'error',
          rule: 'event-name',
          place: 'detectors/made-user.yaml:8:42',
          at: 'when.event_name',
          message: "iam.amazonaws.com logs no event 'CreateUsr'. Did you mean 'CreateUser'?",
        },
        expect.objectContaining({
          rule: 'examples',
          message: expect.stringContaining("'it fires': no alert as expected") as string,
        }) as unknown,
      ],
      stderr: expect.stringContaining('1 detector: 2 errors, 0 warnings') as string,
    });
  });

  test('lint finds a condition that is turned round, by its example', async () => {
    put(
      cwd,
      'detectors/default-certificate.yaml',
      yaml('default-certificate', {
        when: '{ event_source: cloudfront.amazonaws.com, event_name: CreateDistribution, request_parameters.distributionConfig.viewerCertificate.cloudFrontDefaultCertificate: false }',
        examples: `
  - name: a distribution with the certificate that all share
    records: [{ eventSource: cloudfront.amazonaws.com, eventName: CreateDistribution2020_05_31, requestParameters: { distributionConfig: { viewerCertificate: { cloudFrontDefaultCertificate: true } } } }]
    alerts: [{ subject: {} }]
  - name: one with its own
    records: [{ eventSource: cloudfront.amazonaws.com, eventName: CreateDistribution2020_05_31, requestParameters: { distributionConfig: { viewerCertificate: { cloudFrontDefaultCertificate: false } } } }]
    alerts: []`,
      }),
    );
    const { status, stdout } = await run('lint', '--output', 'csv');
    expect(status).toBe(2);
    expect(stdout.split('\n').filter((line) => line.includes(',examples,'))).toHaveLength(2);
  });

  test('lint tells of every file that does not load, and goes on', async () => {
    put(cwd, 'detectors/bad-technique.yaml', yaml('bad-technique', { attack: '[{ technique: TA004, version: 16 }]' }));
    put(cwd, 'detectors/bad-key.yaml', yaml('bad-key', { severty: 'low' }));
    put(cwd, 'detectors/made-user.yaml', yaml('made-user'));
    put(cwd, 'detectors/other-name.yaml', yaml('made-user'));
    const { status, stdout } = await run('lint', '--output', 'json');
    const problems = JSON.parse(stdout) as { place: string; message: string }[];
    expect(status).toBe(2);
    expect(problems.map(({ place, message }) => [place, message.replaceAll(cwd, '')])).toEqual([
      [
        'detectors/bad-key.yaml',
        expect.stringMatching(/^\/detectors\/bad-key[.]yaml:21:1: severty: unknown key: expected one of id, /u),
      ],
      [
        'detectors/bad-technique.yaml',
        expect.stringMatching(/^\/detectors\/bad-technique[.]yaml:7:1: attack names 'TA004'/u),
      ],
      [
        'detectors/other-name.yaml',
        "/detectors/other-name.yaml:1:1: the detector has the id 'made-user': expected 'other-name', the name of its file",
      ],
    ]);
  });

  test('lint of one whose file cannot be used says where and why', async () => {
    const baseline = '{ firstSeen: [source_ip.network], habit: { days: 3, values: 2 }, over: 15d }';
    put(cwd, 'detectors/homebody.yaml', yaml('homebody', { slot: '1h', baseline }));
    expect(await run('lint', 'homebody')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(
        /no detector that can be used.*'homebody'\n.*homebody[.]yaml:\d+:1: .*without 'per'/u,
      ) as string,
    });
    put(
      cwd,
      'detectors/homebody.yaml',
      yaml('homebody', { slot: '1h', baseline: baseline.replace('over', 'per: [principal], over') }),
    );
    expect((await run('lint', 'homebody')).stdout).not.toContain('unusable');
  });

  test('lint leaves out what is not to be told, and is strict when asked to be', async () => {
    put(cwd, 'detectors/made-user.yaml', yaml('made-user', { parameters: '{ idle: { default: 1, doc: Nothing. } }' }));
    expect(await run('lint', 'made-user')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('nothing uses') as string,
    });
    expect(await run('lint', 'made-user', '--strict')).toMatchObject({ status: 2 });
    expect(await run('lint', 'made-user', '--strict', '--ignore', 'parameter')).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect(await run('lint', '--ignore', 'everything')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Kinds: unusable, ') as string,
    });
  });

  test('JUnit is written', async () => {
    put(cwd, 'detectors/made-user.yaml', yaml('made-user', { when: '{ event_name: [CreateUser] }' }));
    const { status, stdout } = await run('test', 'made-user', '--output', 'junit');
    expect(status).toBe(2);
    expect(stdout).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="detectors" tests="2" failures="1">\n/u,
    );
    expect(stdout).toContain('<testcase classname="made-user" name="it fires"/>');
    expect(stdout).toMatch(
      /<testcase classname="made-user" name="it was refused">\n +<failure message="an alert that was not expected: \{&quot;subject&quot;/u,
    );
    expect(await run('list', '--output', 'junit')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('`trailhound detectors test` writes junit') as string,
    });
  });

  test('files of one’s own detectors are watched', async () => {
    put(cwd, 'detectors/made-user.yaml', yaml('made-user', { when: '{ event_name: [CreateUser] }' }));
    const child = spawn(process.execPath, [MAIN, 'detectors', 'test', '--watch', '--output', 'jsonl'], {
      cwd,
      env: { PATH: process.env['PATH'] },
    });
    let text = '';
    const until = async (count: number): Promise<void> => {
      while (text.split('Waiting for changes').length <= count) {
        if (child.exitCode !== null) throw new Error(`it ended: ${text}`);
        await new Promise((done) => setTimeout(done, 50));
      }
    };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()));
    try {
      await until(1);
      expect(text).toContain('1 example of 2 examples failed');
      put(cwd, 'detectors/made-user.yaml', yaml('made-user'));
      while (!text.includes('2 examples passed')) await until(text.split('Waiting for changes').length);
      put(cwd, 'detectors/made-user.yaml', 'id: [');
      while (!text.includes('not valid YAML')) await until(text.split('Waiting for changes').length);
    } finally {
      const ended = new Promise((done) => child.on('exit', done));
      child.kill('SIGTERM');
      expect(await ended).toBe(0);
    }
  });

  test('code behind a link out of its folder is not run', async () => {
    const outside = newFolder();
    put(
      outside,
      'planted.js',
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(join(cwd, 'ran'))}, '');`,
    );
    put(cwd, 'trailhound.yaml', '');
    mkdirSync(join(cwd, 'detectors'));
    symlinkSync(join(outside, 'planted.js'), join(cwd, 'detectors/planted.js'));
    const { status, stderr } = await run('list');
    rmSync(outside, { recursive: true });
    expect({ status, stderr, ran: existsSync(join(cwd, 'ran')) }).toEqual({
      status: 2,
      stderr: expect.stringContaining('outside of the folders of detectors') as string,
      ran: false,
    });
  });

  test('coverage without a store counts every detector, and says so', async () => {
    const { status, stdout, stderr } = await run('coverage', '--output', 'csv');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^defense-evasion,T1562[.]008,Disable or Modify Cloud Logs,\d+,.*trail-logging-stopped/mu);
    expect(stderr).toContain('there is no store');
  });
});

describe('over the sample logs', () => {
  let cwd: string;
  const run = (...args: string[]) => trailhound(['detectors', ...args], { cwd });
  beforeAll(async () => {
    cwd = newFolder();
    const { status, stderr } = await trailhound(['ingest', join(import.meta.dirname, '../../sample-logs')], { cwd });
    expect(status, stderr).not.toBe(2);
  });
  afterAll(() => rmSync(cwd, { recursive: true }));
  afterEach(() => {
    rmSync(join(cwd, 'detectors'), { recursive: true, force: true });
    rmSync(join(cwd, 'trailhound.yaml'), { force: true });
  });

  test('lint tells of a detector that holds for a large share of what is stored', async () => {
    put(cwd, 'detectors/no-column.yaml', yaml('no-column', { when: '{ status: success }' }));
    put(cwd, 'detectors/all-calls.yaml', yaml('all-calls', { when: '{ event_name: { exists: true } }', slot: '1h' }));
    const { stdout } = await run('lint', 'all-calls', 'no-column', '--output', 'json');
    expect(
      (JSON.parse(stdout) as { detector: string; rule: string }[])
        .filter(({ detector }) => detector === 'no-column')
        .map(({ rule }) => rule),
    ).toEqual(['unusable']);
    expect(
      (JSON.parse(stdout) as { rule: string; message: string }[]).find(({ rule }) => rule === 'too-broad')?.message,
    ).toMatch(/^its findings hold 100[.]0% of the [\d,]+ events of cloudtrail in the store/u);
  });

  test('backtest tells how loud each would have been, tries what it proposes, and records nothing', async () => {
    put(
      cwd,
      'detectors/many-calls.yaml',
      yaml('many-calls', {
        when: '{ actor_type: role }',
        threshold: '{ atLeast: { parameter: calls }, within: 10m }',
        parameters: '{ calls: { default: 3, doc: Calls within ten minutes. } }',
        slot: '1h',
        subject: '[aws_region]',
        summary: "'{count} calls in {aws_region}'",
      }),
    );
    const before = '# What we run.\nparameters:\n  denied-call-spike: { refusals: 30 } # more than usual\n';
    put(cwd, 'trailhound.yaml', before);
    const { status, stdout, stderr } = await run('backtest', 'many-calls', '--output', 'json');
    expect(status, stderr).toBe(0);
    const result = JSON.parse(stdout) as {
      days: number;
      detectors: { detector: string; alerts: number; per_day: number; per_day_after: number }[];
      patch: { parameters: Record<string, Record<string, number>>; suppress: object[] };
    };
    const [loud] = result.detectors;
    expect(loud?.detector).toBe('many-calls');
    expect(loud?.per_day).toBeGreaterThan(1);
    expect(loud?.per_day_after).toBeLessThan(loud?.per_day ?? 0);
    expect(Object.keys(result.patch.parameters).length + result.patch.suppress.length).toBeGreaterThan(0);
    expect(stderr).toContain('nothing was recorded');
    const recorded = await trailhound(['alerts', 'list', '--status', 'all', '--output', 'json'], { cwd });
    expect(JSON.parse(recorded.stdout)).toEqual([]);

    const written = await run('backtest', 'many-calls', '--write');
    expect(written.status, written.stderr).toBe(0);
    const config = readFileSync(join(cwd, 'trailhound.yaml'), 'utf8');
    expect(config.startsWith('# What we run.\n')).toBe(true);
    expect(config).toContain('# more than usual');
    expect(config).toContain('many-calls');
    const again = JSON.parse((await run('backtest', 'many-calls', '--output', 'json')).stdout) as typeof result;
    expect(again.detectors[0]?.per_day ?? 0).toBe(loud?.per_day_after);
  });

  test('coverage tells what is covered with the logs that are there, as a table and as a layer', async () => {
    const { status, stdout, stderr } = await run('coverage', '--output', 'json');
    expect(status, stderr).toBe(0);
    const rows = JSON.parse(stdout) as { technique: string; covered_by: string; not_covered: string }[];
    expect(rows.find(({ technique }) => technique === 'T1562.008')?.covered_by).toContain('trail-logging-stopped');
    const layer = JSON.parse((await run('coverage', '--output', 'navigator', '--attack', '19')).stdout) as {
      domain: string;
      versions: { attack: string };
      techniques: { techniqueID: string; score: number }[];
    };
    expect(layer).toMatchObject({ domain: 'enterprise-attack', versions: { attack: '19' } });
    expect(layer.techniques.find(({ techniqueID }) => techniqueID === 'T1685.002')?.score).toBeGreaterThan(0);
    expect(layer.techniques.some(({ techniqueID }) => techniqueID.startsWith('T1562'))).toBe(false);
  });

  test('coverage calls nothing clean whose data events are missing', async () => {
    const dir = newFolder();
    try {
      put(
        dir,
        'logs/a.json',
        JSON.stringify({
          Records: [
            {
              eventVersion: '1.11',
              eventID: '1',
              eventSource: 'iam.amazonaws.com',
              eventName: 'CreateUser',
              eventTime: '2026-03-01T00:00:00Z',
              awsRegion: 'us-east-1',
              recipientAccountId: '111122223333',
            },
          ],
        }),
      );
      await trailhound(['ingest', 'logs'], { cwd: dir });
      const { stdout } = await trailhound(['detectors', 'coverage', '--output', 'json'], { cwd: dir });
      const rows = JSON.parse(stdout) as { technique: string; detectors: number; not_covered: string }[];
      const encrypted = rows.find(({ technique }) => technique === 'T1486');
      expect(encrypted?.detectors).toBe(0);
      expect(encrypted?.not_covered).toContain('no data events of AWS::S3::Object');
      expect(rows.some(({ not_covered }) => not_covered.includes('no events in waf'))).toBe(true);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
