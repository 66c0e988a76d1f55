/** The files of docs/examples as people put them to use: units, a container, a function. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { newFolder, trailhound } from './run.ts';

const EXAMPLES = resolve('docs/examples');
const SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!SYSTEMD) process.stderr.write('SKIPPED: systemd-analyze is not installed\n');

let folder: string;
beforeEach(() => {
  folder = newFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

type Handler = (event: unknown, context: { getRemainingTimeInMillis(): number }) => Promise<unknown>;

/** The folder that docs/watch.md says how to make, with one log file to watch. */
async function deployed(dir: string): Promise<Handler> {
  mkdirSync(join(dir, 'node_modules'));
  symlinkSync(resolve('.'), join(dir, 'node_modules/trailhound'));
  cpSync(join(EXAMPLES, 'lambda/handler.mjs'), join(dir, 'handler.mjs'));
  writeFileSync(
    join(dir, 'trailhound.yaml'),
    'sources: [./logs]\nsinks: [{ id: out, type: file, path: alerts.jsonl }]\n',
  );
  mkdirSync(join(dir, 'logs'));
  writeFileSync(
    join(dir, 'logs/one.json'),
    JSON.stringify({
      Records: [
        {
          eventVersion: '1.09',
          userIdentity: { type: 'Root', principalId: '111122223333', arn: 'arn:aws:iam::111122223333:root' },
          eventTime: '2026-01-01T00:00:00Z',
          eventSource: 'cloudtrail.amazonaws.com',
          eventName: 'StopLogging',
          awsRegion: 'us-east-1',
          eventID: '00000000-0000-4000-8000-000000000001',
          recipientAccountId: '111122223333',
        },
      ],
    }),
  );
  const { handler } = (await import(pathToFileURL(join(dir, 'handler.mjs')).href)) as { handler: Handler };
  return handler;
}

const minutesLeft = { getRemainingTimeInMillis: () => 15 * 60_000 };

describe('a function of AWS Lambda', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('runs one turn, keeps its store, and refuses one that does not last', async () => {
    const handler = await deployed(folder);
    // Not below /tmp, where it is refused and where the project itself may lie.
    const lasting = mkdtempSync('/var/tmp/trailhound-lambda-');
    try {
      vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'trailhound');
      vi.stubEnv('TRAILHOUND_STORE', join(lasting, 'store'));
      expect(await handler({ 'detail-type': 'Scheduled Event' }, minutesLeft)).toEqual({ complete: true });
      expect(readFileSync(join(folder, 'alerts.jsonl'), 'utf8')).toContain('"kind":"past"');
      expect(existsSync(join(lasting, 'store/VERSION'))).toBe(true);
      vi.stubEnv('TRAILHOUND_STORE', '/tmp/trailhound-store');
      await expect(handler({}, minutesLeft)).rejects.toThrow('ended with status 2');
      vi.stubEnv('TRAILHOUND_STORE', join(lasting, 'store'));
      expect(await handler({}, { getRemainingTimeInMillis: () => 0 })).toEqual({ complete: false });
    } finally {
      rmSync(lasting, { recursive: true, force: true });
    }
  });

  test.each([['watch'], ['watch --once']])('%s says why not below /tmp, also by way of a link', async (command) => {
    writeFileSync(join(folder, 'trailhound.yaml'), 'sources: [./logs]\n');
    symlinkSync('/tmp', join(folder, 'mnt'));
    const { status, stderr } = await trailhound([...command.split(' '), '--store', 'mnt/store-that-is-not-there'], {
      cwd: folder,
      env: { AWS_LAMBDA_FUNCTION_NAME: 'trailhound' },
    });
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/does not last from run to run\n.*EFS.*TRAILHOUND_STORE/u),
    ]);
    expect(existsSync('/tmp/store-that-is-not-there')).toBe(false);
  });
});

describe('units of systemd', () => {
  test.skipIf(!SYSTEMD)('are what systemd-analyze takes', () => {
    const units = readdirSync(join(EXAMPLES, 'systemd')).map((name) => join(EXAMPLES, 'systemd', name));
    expect(units).toHaveLength(3);
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...units], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});

test('the Containerfile copies what there is, and all that the build needs', () => {
  const text = readFileSync(join(EXAMPLES, 'container/Containerfile'), 'utf8');
  const copied = [...text.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
  expect(copied.filter((path) => !existsSync(path))).toEqual([]);
  const { include } = JSON.parse(readFileSync('tsconfig.build.json', 'utf8')) as { include: string[] };
  expect(copied).toEqual(expect.arrayContaining([...include, 'scripts', 'queries', 'package-lock.json']));
});
