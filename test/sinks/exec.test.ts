/** Commands that are run for a message: real scripts, and what becomes of each way to end. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkSinkOptions } from '../../src/sinks/open.ts';
import { ALERT, alertMessage } from '../support/messages.ts';
import { open, outcome, tempDir } from '../support/sinks.ts';

const dir = tempDir();
const script = (name: string, text: string): string => {
  writeFileSync(join(dir, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(dir, name), 0o700);
  return `./${name}`;
};
const run = async (command: string[], options: object = {}) =>
  outcome(await open('exec', { command, ...options }, { dir }), alertMessage());

test('the message on standard input, and of the environment no more than is named', async () => {
  process.env['TRAILHOUND_TEST_HIDDEN'] = 'not for commands';
  process.env['TRAILHOUND_TEST_TICKET'] = 'a secret for the command';
  const keep = script('keep.sh', 'cat > stdin.json; env > env.txt; printf "%s\\n" "$@" > args.txt');
  const args = ['$(reboot)', "a b'c", '; rm -rf /'];
  expect(await run([keep, ...args], { env: { TICKET_TOKEN: 'env:TRAILHOUND_TEST_TICKET' } })).toBe('taken');
  expect(JSON.parse(readFileSync(join(dir, 'stdin.json'), 'utf8'))).toMatchObject({
    key: `${ALERT.id}-1`,
    alerts: [ALERT],
  });
  expect(readFileSync(join(dir, 'args.txt'), 'utf8').trimEnd().split('\n')).toEqual(args);
  const names = readFileSync(join(dir, 'env.txt'), 'utf8').trimEnd().split('\n');
  expect(names).toEqual(
    expect.arrayContaining([
      `TRAILHOUND_KEY=${ALERT.id}-1`,
      'TRAILHOUND_KIND=alert',
      'TRAILHOUND_CHANGE=new',
      'TRAILHOUND_SEVERITY=critical',
      `TRAILHOUND_ALERT_ID=${ALERT.id}`,
      'TICKET_TOKEN=a secret for the command',
    ]),
  );
  const allowed =
    /^(PATH|HOME|USER|LANG|LC_ALL|TZ|TMPDIR|PWD|OLDPWD|SHLVL|_|TICKET_TOKEN|TRAILHOUND_(KEY|KIND|CHANGE|SEVERITY|ALERTS|ALERT_ID|DETECTOR))=/;
  expect(names.filter((line) => !allowed.test(line))).toEqual([]);
});

describe('ends', () => {
  test.each([
    ['exit 0', 'taken'],
    ['cat >/dev/null; echo busy >&2; exit 75', 'sink: cannot run ./end.sh: exit status 75: busy'],
    ['echo "no such field" >&2; exit 1', 'message: cannot run ./end.sh: exit status 1: no such field'],
    ['exit 64', 'message: cannot run ./end.sh: exit status 64'],
    ['kill -9 $$', 'message: cannot run ./end.sh: ended by SIGKILL'],
    ['printf "\\033[31mred\\nline" >&2; exit 2', 'message: cannot run ./end.sh: exit status 2: \\x1b[31mred line'],
    ['sleep 60 & exit 0', 'taken'],
  ])('%s', async (text, expected) => {
    expect(await run([script('end.sh', text)])).toBe(expected);
  });

  test('without a reader of a message of a megabyte', async () => {
    const sink = await open('exec', { command: [script('deaf.sh', 'exit 0')] }, { dir });
    expect(await outcome(sink, alertMessage({ summary: 'x'.repeat(1_000_000) }))).toBe('taken');
  });

  test('a program that there is not', async () => {
    expect(await run(['./nowhere.sh'])).toMatch(/^sink: cannot run \.\/nowhere\.sh: .*ENOENT/);
  });

  test('too late: it and what it started are ended', async () => {
    const slow = script('slow.sh', 'trap "" TERM; (sleep 5; touch late.txt) & wait');
    const started = Date.now();
    expect(await run([slow], { timeout: '1s' })).toBe('sink: cannot run ./slow.sh: it did not end within 1 s');
    expect(Date.now() - started).toBeLessThan(4900);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(existsSync(join(dir, 'late.txt'))).toBe(false);
  });

  test('too late, and yet done: a second attempt would do it twice', async () => {
    expect(await run([script('late.sh', 'trap "" TERM; sleep 2; exit 0')], { timeout: '1s' })).toBe('taken');
  });

  test('with the run', async () => {
    const ending = new AbortController();
    const sink = await open('exec', { command: [script('long.sh', 'exec sleep 60')] }, { dir });
    const delivery = sink.deliver(alertMessage(), ending.signal);
    setTimeout(() => ending.abort(new Error('the run ends')), 100);
    await expect(delivery).rejects.toThrow('the run ends');
  });

  test('what it says is told without the secrets that it was given', async () => {
    process.env['TRAILHOUND_TEST_TICKET'] = 'a secret for the command';
    const talk = script('talk.sh', 'echo "denied for $TOKEN" >&2; exit 3');
    expect(await run([talk], { env: { TOKEN: 'env:TRAILHOUND_TEST_TICKET' } })).toBe(
      'message: cannot run ./talk.sh: exit status 3: denied for ****',
    );
  });
});

describe('options', () => {
  test.each([
    [{ command: 'notify.sh --now' }, 'command: expected a list: the program and its arguments'],
    [{ command: [] }, 'command: expected a list: the program and its arguments'],
    [
      { command: ['x'], env: { A: 'plain' } },
      'env.A: expected env:NAME or file:path: the secret itself does not stand in a config',
    ],
    [{ command: ['x'], env: { 'A-B': 'env:X' } }, 'env.A-B: expected the name of a variable: letters, digits and _'],
    [{ command: ['x'], shell: true }, 'shell: unknown key: expected one of command, env, timeout'],
  ])('%j', (options, problem) => {
    expect(checkSinkOptions('exec', options).map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
      problem,
    ]);
  });
});
