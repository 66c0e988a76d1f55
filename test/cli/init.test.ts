/** `trailhound init` against a server that speaks AWS's languages, with the account as an organisation would have it; and `config init`. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CloudTrailClient,
  CreateTrailCommand,
  PutEventSelectorsCommand,
  StartLoggingCommand,
} from '@aws-sdk/client-cloudtrail';
import {
  CreateBucketCommand,
  GetBucketAclCommand,
  PutBucketAclCommand,
  PutBucketEncryptionCommand,
  PutBucketLoggingCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateWebACLCommand, PutLoggingConfigurationCommand, WAFV2Client } from '@aws-sdk/client-wafv2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseConfig } from '../../src/cli/config-file.ts';
import { startHttpPeer } from '../support/http-peer.ts';
import { AWS_ENV, type Moto, motoMissing, startMoto } from '../support/moto.ts';
import { newFolder, trailhound } from './run.ts';

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
beforeEach(() => {
  folder = newFolder();
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  trailhound(args, { cwd: folder, env: { AWS_EC2_METADATA_DISABLED: 'true', ...env } });
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const configOf = (name = 'trailhound.yaml') => parseConfig(read(name), join(folder, name));

describe.skipIf(motoMissing !== null)('an account', () => {
  const ACCOUNT = '123456789012';
  const KEY = `arn:aws:kms:eu-central-1:${ACCOUNT}:key/11111111-2222-3333-4444-555555555555`;
  const BUCKET_KEY = `arn:aws:kms:eu-central-1:${ACCOUNT}:key/99999999-2222-3333-4444-555555555555`;
  let moto: Moto;
  const clients: { destroy(): void }[] = [];

  beforeAll(async () => {
    moto = await startMoto();
    const at = {
      endpoint: moto.url,
      region: AWS_ENV.AWS_REGION,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    const s3 = new S3Client({ ...at, forcePathStyle: true });
    const cloudtrail = new CloudTrailClient(at);
    const abroad = new CloudTrailClient({ ...at, region: 'us-west-2' });
    const waf = new WAFV2Client(at);
    clients.push(s3, cloudtrail, abroad, waf);
    for (const Bucket of ['trail-logs', 'abroad-logs', 'aws-waf-logs-shop', 'access-logs', 'shop'])
      await s3.send(
        new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
      );
    for (const [Bucket, KMSMasterKeyID] of [
      ['aws-waf-logs-shop', BUCKET_KEY],
      ['access-logs', 'alias/logs'],
    ]) {
      const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID };
      await s3.send(
        new PutBucketEncryptionCommand({
          Bucket,
          ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault }] },
        }),
      );
    }
    const put = (Bucket: string, Key: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    await put('trail-logs', 'org/AWSLogs/o-exampleorgid/111122223333/CloudTrail/eu-central-1/2026/01/01/a.json.gz');
    await put('aws-waf-logs-shop', `AWSLogs/${ACCOUNT}/WAFLogs/eu-central-1/shop/2026/01/01/00/00/a.log.gz`);

    await cloudtrail.send(
      new CreateTrailCommand({
        Name: 'everything',
        S3BucketName: 'trail-logs',
        S3KeyPrefix: 'org',
        IsMultiRegionTrail: true,
        IsOrganizationTrail: true,
        KmsKeyId: KEY,
      }),
    );
    await cloudtrail.send(new StartLoggingCommand({ Name: 'everything' }));
    await cloudtrail.send(
      new PutEventSelectorsCommand({
        TrailName: 'everything',
        AdvancedEventSelectors: [
          { FieldSelectors: [{ Field: 'eventCategory', Equals: ['Management'] }] },
          {
            FieldSelectors: [
              { Field: 'eventCategory', Equals: ['Data'] },
              { Field: 'resources.type', Equals: ['AWS::Lambda::Function'] },
            ],
          },
        ],
      }),
    );
    await abroad.send(new CreateTrailCommand({ Name: 'west', S3BucketName: 'abroad-logs' }));

    const { Summary: acl } = await waf.send(
      new CreateWebACLCommand({
        Name: 'shop',
        Scope: 'REGIONAL',
        DefaultAction: { Allow: {} },
        VisibilityConfig: { SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false, MetricName: 'shop' },
      }),
    );
    await waf.send(
      new PutLoggingConfigurationCommand({
        LoggingConfiguration: { ResourceArn: acl?.ARN, LogDestinationConfigs: ['arn:aws:s3:::aws-waf-logs-shop'] },
      }),
    );
    await waf.send(
      new CreateWebACLCommand({
        Name: 'quiet',
        Scope: 'REGIONAL',
        DefaultAction: { Allow: {} },
        VisibilityConfig: { SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false, MetricName: 'quiet' },
      }),
    );
    const { Owner: owner } = await s3.send(new GetBucketAclCommand({ Bucket: 'access-logs' }));
    const grants = (['WRITE', 'READ_ACP'] as const).map((Permission) => ({
      Permission,
      Grantee: { Type: 'Group' as const, URI: 'http://acs.amazonaws.com/groups/s3/LogDelivery' },
    }));
    await s3.send(
      new PutBucketAclCommand({ Bucket: 'access-logs', AccessControlPolicy: { Owner: owner, Grants: grants } }),
    );
    await s3.send(
      new PutBucketLoggingCommand({
        Bucket: 'shop',
        BucketLoggingStatus: { LoggingEnabled: { TargetBucket: 'access-logs', TargetPrefix: 'shop # 1-' } },
      }),
    );
  });
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await moto.stop();
  });

  test('becomes a config, a policy, and a list of what cannot fire there', async () => {
    const { status, stdout, stderr } = await run(['init', '--endpoint-url', moto.url, '--output', 'json'], AWS_ENV);
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(
      /trail everything: the organisation's; all regions; all management events; data events of AWS::Lambda::Function/u,
    );
    expect(stderr).toContain('the web ACL quiet of eu-central-1 logs nowhere');
    expect(stderr).toContain('the bucket access-logs encrypts with the key alias/logs');
    const config = configOf();
    expect([...config.sources].toSorted()).toEqual([
      's3://access-logs/shop # 1-',
      `s3://aws-waf-logs-shop/AWSLogs/${ACCOUNT}/WAFLogs/`,
      's3://trail-logs/org/AWSLogs/o-exampleorgid/',
    ]);
    expect(config.aws).toEqual({ endpoint_url: moto.url });
    const policy = JSON.parse(read('trailhound-policy.json')) as { Statement: Record<string, unknown>[] };
    expect(policy.Statement).toHaveLength(5);
    expect(policy.Statement).toEqual(
      expect.arrayContaining([
        {
          Effect: 'Allow',
          Action: 's3:ListBucket',
          Resource: 'arn:aws:s3:::trail-logs',
          Condition: { StringLike: { 's3:prefix': ['org/AWSLogs/o-exampleorgid/*'] } },
        },
        {
          Effect: 'Allow',
          Action: 's3:GetObject',
          Resource: expect.arrayContaining([
            'arn:aws:s3:::access-logs/shop # 1-*',
            `arn:aws:s3:::aws-waf-logs-shop/AWSLogs/${ACCOUNT}/WAFLogs/*`,
          ]),
        },
        { Effect: 'Allow', Action: 'kms:Decrypt', Resource: [KEY, BUCKET_KEY] },
      ]),
    );
    const silent = JSON.parse(stdout) as { detector: string; cannot_fire_because: string }[];
    expect(new Set(silent.map((one) => one.cannot_fire_because))).toEqual(
      new Set(['no trail selects data events of AWS::S3::Object']),
    );
    expect(silent.map(({ detector }) => detector)).toContain('ransom-note-uploaded');

    const check = await run(['config', 'check'], AWS_ENV);
    expect([check.status, check.stderr]).toEqual([0, expect.stringContaining('3 sources')]);
    const again = await run(['init', '--endpoint-url', moto.url], AWS_ENV);
    expect([again.status, again.stderr]).toEqual([
      2,
      expect.stringMatching(/trailhound.yaml.*is there already\n.*--force/u),
    ]);
    const forced = await run(['init', '--endpoint-url', moto.url, '--force', '--quiet'], AWS_ENV);
    expect(forced.status, forced.stderr).toBe(0);
  });

  test('of another region is asked there', async () => {
    const { status, stderr } = await run(
      ['init', '--endpoint-url', moto.url, '--dir', 'new/west', '--waf-region', 'eu-central-1', 'us-west-2'],
      { ...AWS_ENV, AWS_REGION: 'us-west-2' },
    );
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/trail west: not logging; only us-west-2/u);
    expect(stderr).toMatch(/trail everything: the organisation's/u);
    expect(configOf('new/west/trailhound.yaml').sources).toHaveLength(3);
    // A source that is empty would be refused, and with it the run.
    expect(read('new/west/trailhound.yaml')).toContain(`# - s3://abroad-logs/AWSLogs/${ACCOUNT}/`);
  });
});

test('an account that nobody may ask: each question is said, and nothing is claimed of it', async () => {
  const peer = await startHttpPeer();
  try {
    peer.answer = (response, { headers }) => {
      const isJson = headers['x-amz-target'] !== undefined;
      response.writeHead(isJson ? 400 : 403, {
        'content-type': isJson ? 'application/x-amz-json-1.1' : 'application/xml',
      });
      response.end(
        isJson
          ? JSON.stringify({ __type: 'AccessDeniedException', message: 'User: x is not authorized' })
          : '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
      );
    };
    const { status, stdout, stderr } = await run(['init', '--endpoint-url', peer.url], AWS_ENV);
    expect([status, stdout]).toEqual([3, '']);
    for (const action of [
      'cloudtrail:DescribeTrails',
      'cloudtrail:ListTrails',
      'wafv2:ListLoggingConfigurations',
      's3:ListAllMyBuckets',
    ])
      expect(stderr).toMatch(new RegExp(`${action}[)]: AccessDenied`, 'u'));
    expect(stderr).toContain('no logs were found');
    expect(configOf().sources).toEqual([]);
    expect(existsSync(join(folder, 'trailhound-policy.json'))).toBe(false);
  } finally {
    await peer.close();
  }
});

describe('nobody is asked', () => {
  test('without credentials: it says how to log in, and writes nothing', async () => {
    const { status, stderr } = await run(['init', '--aws-region', 'eu-central-1'], { HOME: folder });
    expect([status, stderr]).toEqual([2, expect.stringMatching(/AWS takes no credentials from here.*\n.*--offline/su)]);
    expect(existsSync(join(folder, 'trailhound.yaml'))).toBe(false);
  });

  test.each([
    [['init', '--offline'], ['./logs'], '10s'],
    [['config', 'init'], ['./logs'], '10s'],
    [['config', 'init', './a #1', 's3://example-logs/AWSLogs/'], ['./a #1', 's3://example-logs/AWSLogs/'], '5m'],
  ])('%j', async (args, sources, poll) => {
    const { status, stderr } = await run(args);
    expect(status, stderr).toBe(0);
    const config = configOf();
    expect([config.sources, config.watch.poll, config.sinks.length]).toEqual([sources, poll, 1]);
    expect((await run(['config', 'check'])).status).toBe(0);
    writeFileSync(join(folder, 'trailhound.yaml'), '# mine\n');
    expect((await run(args)).status).toBe(2);
    expect(read('trailhound.yaml')).toBe('# mine\n');
    expect((await run([...args, '--force'])).status).toBe(0);
    expect(configOf().sources).toEqual(sources);
  });

  test('a folder that cannot be written is told', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { status, stderr } = await run(['config', 'init', '--dir', 'file/below']);
    expect([status, stderr]).toEqual([3, expect.stringContaining('cannot write')]);
  });
});
