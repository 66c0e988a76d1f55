/** Opening a sink: by its name, with its own library and no other, and asking nothing of anybody. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SINK_TYPES } from '../../src/sinks/open.ts';
import { alertMessage, plainMessage, REPORT } from '../support/messages.ts';
import { open } from '../support/sinks.ts';

const ACCOUNT = '123456789012';
Object.assign(process.env, {
  TRAILHOUND_TEST_SECRET: 'https://hooks.example/very-secret-path',
  AWS_REGION: 'eu-central-1',
});

/** Options that are just enough. */
const LEAST: Readonly<Record<string, object>> = {
  stdout: {},
  file: { path: 'alerts.jsonl' },
  exec: { command: ['true'] },
  webhook: { url: 'env:TRAILHOUND_TEST_SECRET' },
  slack: { webhook: 'env:TRAILHOUND_TEST_SECRET' },
  email: { host: 'mail.example', from: 'a@example.com', to: ['b@example.com'] },
  pagerduty: { routing_key: 'env:TRAILHOUND_TEST_SECRET' },
  sns: { topic: `arn:aws:sns:eu-central-1:${ACCOUNT}:alerts` },
  sqs: { queue: 'alerts' },
  eventbridge: {},
  securityhub: { account: ACCOUNT },
  cloudwatch: {},
};

test('every type has its options here', () => {
  expect(Object.keys(LEAST)).toEqual(SINK_TYPES);
});

test.each(Object.keys(LEAST))('%s renders every kind of message, without a secret', async (type) => {
  const sink = await open(type, LEAST[type]);
  const many = alertMessage({}, { kind: 'alerts', change: null, alertsTotal: 40 });
  for (const message of [
    alertMessage(),
    many,
    { ...many, kind: 'past' as const },
    REPORT,
    plainMessage('notice'),
    plainMessage('test'),
  ]) {
    const text = sink.render(message);
    expect([text === '', text.includes('very-secret')]).toEqual([false, false]);
  }
  await sink.close();
});

test('an unknown type and wrong options are told with the id of the sink', async () => {
  await expect(open('webhok', {})).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringMatching(/^sink soc: type: expected one of .*Did you mean 'webhook'\?$/) as unknown,
  });
  await expect(open('file', { path: 7, kept: 1 })).rejects.toMatchObject({
    code: 'config-invalid',
    message:
      'sink soc: path: expected a text\nsink soc: kept: unknown key: expected one of path, max_size, daily, keep',
  });
  await expect(open('toString', {})).rejects.toMatchObject({ code: 'config-invalid' });
});

test('Security Hub needs a region from somewhere', async () => {
  const before = { ...process.env };
  try {
    for (const name of ['AWS_REGION', 'AWS_PROFILE']) delete process.env[name];
    Object.assign(process.env, { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' });
    await expect(open('securityhub', { account: ACCOUNT })).rejects.toMatchObject({
      code: 'config-invalid',
      message: 'sink soc: no region is named, and a finding needs one',
    });
  } finally {
    process.env = before;
  }
});

test('what is aborted before it begins ends with the reason', async () => {
  const ended = AbortSignal.abort(new Error('the run ended'));
  for (const type of ['webhook', 'exec', 'email', 'sqs', 'slack'])
    await expect(
      (await open(type, LEAST[type], { aws: { region: 'eu-central-1', endpointUrl: 'http://127.0.0.1:9' } })).deliver(
        alertMessage(),
        ended,
      ),
    ).rejects.toThrow('the run ended');
});

/** Prints each package that is loaded on the way. */
const HOOKS = `export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  const [, name] = /node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/(?!.*node_modules)/.exec(found.url) ?? [];
  if (name !== undefined) console.error('loaded ' + name);
  return found;
}`;

test('opening one sink loads no library of another', () => {
  const built = fileURLToPath(new URL('../../dist/src/sinks/open.js', import.meta.url));
  const loadedBy = (code: string) => {
    const register = `import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOKS)}));`;
    const { stderr, status } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '--import',
        `data:text/javascript,${encodeURIComponent(register)}`,
        '-e',
        code.replace('OPEN', JSON.stringify(built)),
      ],
      { encoding: 'utf8' },
    );
    expect([status, stderr.includes('Error')]).toEqual([0, false]);
    return new Set([...stderr.matchAll(/^loaded (.+)$/gm)].map(([, name]) => name));
  };
  const openOne = (type: string) =>
    `const { openSink } = await import(OPEN); await openSink('${type}', ${JSON.stringify(LEAST[type])}, { id: 'x', aws: { region: 'eu-central-1' }, dir: '.', write: async () => {} });`;
  const nothing = loadedBy('await import(OPEN);');
  expect([...nothing].filter((name) => /aws|smithy|nodemailer/.test(name ?? ''))).toEqual([]);
  expect(nothing.has('zod')).toBe(true);
  expect(loadedBy(openOne('file'))).toEqual(nothing);
  expect([...loadedBy(openOne('email'))].filter((name) => !nothing.has(name))).toEqual(['nodemailer']);
  const aws = [...loadedBy(openOne('sns'))].filter((name) =>
    /client-(sns|sqs|eventbridge|securityhub|cloudwatch)$/.test(name ?? ''),
  );
  expect(aws).toEqual(['@aws-sdk/client-sns']);
});
