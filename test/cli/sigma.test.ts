/** Sigma rules on the command line: loaded, hunted, suppressed and refused aloud. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Alert } from '../../src/alert.ts';
import { newFolder, trailhound } from './run.ts';

const LOGS = resolve('sample-logs/AWSLogs/111122223333/CloudTrail');
let cwd: string;
const run = (...args: string[]) => trailhound(args, { cwd });
const put = (name: string, text: string) => {
  mkdirSync(join(cwd, name, '..'), { recursive: true });
  writeFileSync(join(cwd, name), text);
};

const STOPPED = `title: Trail stopped
id: 4db60cc0-36fb-42b7-9b58-a5b53019fb74
logsource: {product: aws, service: cloudtrail}
detection:
  call:
    eventSource: CLOUDTRAIL.amazonaws.com
    eventName: [stoplogging, DeleteTrail]
  refused:
    errorCode|contains: '*'
  condition: call and not refused
level: high
tags: [attack.t1562.008]
`;
const BROKEN = `title: Look-behind
logsource: {product: aws, service: cloudtrail}
detection:
  s:
    userAgent|re: 'a(?<=b)'
  condition: s
`;
const WINDOWS = `title: Windows
logsource: {product: windows, service: security}
detection: {s: {EventID: 1}, condition: s}
`;
const MANY = `title: Refused often
id: refused-often
correlation:
  type: event_count
  rules: [refused]
  group-by: [userIdentity.arn]
  timespan: 1h
  condition: {gte: 10}
level: medium
---
title: Refused
name: refused
logsource: {product: aws, service: cloudtrail}
detection:
  s:
    errorCode: [AccessDenied*, '*.UnauthorizedOperation']
  condition: s
`;

beforeEach(() => {
  cwd = newFolder();
  put('rules/stopped.yml', STOPPED);
  put('rules/many.yml', MANY);
});
afterEach(() => rmSync(cwd, { recursive: true }));

const alertsOf = (stdout: string): Alert[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Alert);

describe('Sigma rules', () => {
  test('find in a scan what they are about, as alerts like all others', async () => {
    const { status, stdout, stderr } = await run(
      'scan',
      LOGS,
      '--rules',
      'rules',
      '--tag',
      'sigma',
      '--output',
      'jsonl',
    );
    expect(stderr).toContain('2 rules loaded, 0 not; 1 part of correlations and filters\n');
    const alerts = alertsOf(stdout);
    expect(alerts.find(({ detector }) => detector === 'sigma-refused-often')).toMatchObject({
      severity: 'medium',
      count: expect.any(Number),
      peak: expect.any(Number),
    });
    const own = (await run('hunt', 'trail-logging-stopped', '--output', 'jsonl')).stdout;
    const events = (list: readonly Alert[]): string[] => list.flatMap(({ event_ids }) => event_ids).toSorted();
    const stopped = alerts.filter(({ detector }) => detector === 'sigma-4db60cc0-36fb-42b7-9b58-a5b53019fb74');
    expect(stopped).not.toEqual([]);
    expect(stopped[0]).toMatchObject({ severity: 'high', attack: [{ technique: 'T1562.008', version: 18 }] });
    expect(events(alertsOf(own))).toEqual(expect.arrayContaining(events(stopped)));
    expect(status).toBe(0);
  });

  test('of the config are known to every command, and can be suppressed', async () => {
    put(
      'trailhound.yaml',
      'rules: [rules]\nsuppress:\n  - {detector: sigma-4db60cc0-36fb-42b7-9b58-a5b53019fb74, reason: A drill., owner: us}\n',
    );
    await run('ingest', LOGS);
    const { stdout } = await run('hunt', 'sigma-4db60cc0-36fb-42b7-9b58-a5b53019fb74', '--output', 'jsonl');
    expect(alertsOf(stdout)).toEqual([]);
    const { stdout: listed } = await run('alerts', 'list', '--status', 'suppressed', '--output', 'jsonl');
    expect(alertsOf(listed).map(({ detector, suppressed_by }) => [detector, suppressed_by])).toContainEqual([
      'sigma-4db60cc0-36fb-42b7-9b58-a5b53019fb74',
      expect.stringMatching(/^config:[0-9a-f]{8}$/u),
    ]);
    const shown = await run('detectors', 'show', 'sigma-refused-often');
    expect(shown.stdout).toMatch(/Refused often[\s\S]*threshold: \{"atLeast":10,"within":"1h"\}/u);
    expect((await run('config', 'check')).status).toBe(0);
  });

  test('that cannot be used are named with their place, and end a strict run with status 3', async () => {
    put('rules/broken.yml', BROKEN);
    put('rules/windows.yml', WINDOWS);
    const listed = await run('detectors', 'list', '--rules', 'rules', '--tag', 'sigma', '--output', 'csv');
    expect(listed).toMatchObject({ status: 0, stderr: expect.stringContaining('2 rules loaded, 1 not') });
    expect(listed.stderr).toMatch(
      /^warning: rules\/broken[.]yml:5:21: 'Look-behind': cannot use the pattern .* look-around/mu,
    );
    expect(listed.stdout).toMatch(/sigma-refused-often,medium,Refused often.*rules\/many[.]yml:1/u);
    expect((await run('detectors', 'list', '--rules', 'rules', '--strict')).status).toBe(3);

    const rules = await run('detectors', 'rules', 'rules', '--strict', '--output', 'json');
    expect(rules.status).toBe(3);
    expect(
      (JSON.parse(rules.stdout) as Record<string, unknown>[]).map(({ status, place, detector }) => [
        status,
        place,
        detector,
      ]),
    ).toEqual([
      ['refused', 'rules/broken.yml:5:21', null],
      ['loaded', 'rules/many.yml:1:1', 'sigma-refused-often'],
      ['part', 'rules/many.yml:11:1', null],
      ['loaded', 'rules/stopped.yml:1:1', 'sigma-4db60cc0-36fb-42b7-9b58-a5b53019fb74'],
      ['foreign', 'rules/windows.yml:1:1', null],
    ]);
    await run('ingest', LOGS);
    expect((await run('hunt', '--rules', 'rules', '--tag', 'sigma', '--strict')).status).toBe(3);
    expect((await run('hunt', '--rules', 'rules', '--tag', 'sigma')).status).toBe(0);
  });

  test('are hunted by a watch, which names those that it cannot use', async () => {
    put('rules/broken.yml', BROKEN);
    put('trailhound.yaml', `sources: [${JSON.stringify(LOGS)}]\nrules: [rules]\n`);
    expect((await run('config', 'check')).stderr).toContain("rules/broken.yml:5:21: 'Look-behind'");
    const watched = await run('watch', '--once', '--log-format', 'json');
    const told = watched.stderr.split('\n').filter((line) => line.includes('a Sigma rule cannot be used'));
    expect(told.map((line) => (JSON.parse(line) as { place: string }).place)).toEqual(['rules/broken.yml:5:21']);
    const { stdout } = await run('alerts', 'list', '--detector', 'sigma-refused-often', '--output', 'jsonl');
    expect(alertsOf(stdout)).not.toEqual([]);
  });

  test('that are not there, and rules that nobody named, are errors', async () => {
    expect(await run('hunt', '--rules', 'nowhere')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`cannot read the rules in ${join(cwd, 'nowhere')}`),
    });
    expect(await run('detectors', 'rules')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no rules are named'),
    });
  });

  test('take placeholders from the config', async () => {
    put(
      'rules/placeholder.yml',
      STOPPED.replace(/id: .*/u, 'id: ours').replace("errorCode|contains: '*'", "userIdentity.arn|expand: '%Ours%'"),
    );
    expect((await run('detectors', 'rules', 'rules')).stderr).toContain('2 rules loaded, 1 not');
    put('trailhound.yaml', "placeholders: {Ours: ['*:user/ann', '*:role/ops-*'], Port: 22}\n");
    expect((await run('detectors', 'rules', 'rules')).stderr).toContain('3 rules loaded, 0 not');
  });
});
