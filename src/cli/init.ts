/** What `init` writes: a config for the sources that were found, and the least policy that reads them. */
import { stringify } from 'yaml';
import type { LogPlace, Selection, Survey, Trail } from '../account.ts';
import { printable } from '../printable.ts';
import type { AwsOptions } from '../source.ts';

/** How often a bucket is listed: CloudTrail delivers about every five minutes, and each listing is paid for. */
const POLL = '5m';

const urlOf = ({ bucket, prefix }: Pick<LogPlace, 'bucket' | 'prefix'>): string => `s3://${bucket}/${prefix}`;

/** A key of S3 may hold anything: what YAML might take for something else stands in quotes. */
const scalar = (text: string): string => (/^[\w:/.@-]+$/u.test(text) ? text : JSON.stringify(text));

/** A config without anybody being asked: for these sources, as they stand in it. */
export function plainConfig(sources: readonly string[]): string {
  return configText(
    'Written by `trailhound config init`.',
    sources.map((source) => `  - ${scalar(source)}`),
    sources.some((source) => source.startsWith('s3://')),
    {},
    [],
  );
}

/** `silent`: how many detectors cannot fire, by reason. */
export function surveyConfig(
  { trails, places, remarks }: Survey,
  aws: AwsOptions,
  silent: ReadonlyMap<string, number>,
): string {
  const notes = [
    ...trails.map(trailText),
    ...remarks,
    ...[...silent].map(([reason, count]) => `${count} detectors cannot fire: ${reason}`),
  ];
  return configText(
    'Written by `trailhound init`, for what it found in the account.',
    places.flatMap(sourceLines),
    true,
    aws,
    notes,
  );
}

function sourceLines(place: LogPlace): string[] {
  const { from, tables, isFilled } = place;
  const doubts = isFilled === null ? ' (nobody allowed to look whether anything lies there)' : '';
  const lines = [`  # ${tables.join(', ')}: ${from.map(printable).join('; ')}${doubts}`];
  const item = `- ${scalar(urlOf(place))}`;
  // A source that is empty is refused, and with it the run.
  return isFilled === false
    ? [...lines, '  # Nothing lies there yet: a source once something does.', `  # ${item}`]
    : [...lines, `  ${item}`];
}

function configText(
  title: string,
  sources: readonly string[],
  isPolledForMoney: boolean,
  aws: AwsOptions,
  notes: readonly string[],
): string {
  const hasSource = sources.some((line) => line.startsWith('  - '));
  const account = awsLines(aws);
  return [
    `# ${title} \`trailhound config check\` reads it as a run would; \`trailhound watch\` runs it.`,
    ...notes.map((note) => `# - ${printable(note)}`),
    '',
    '# What is read. Folders, archives, s3://bucket/prefix and sqs://queue.',
    hasSource ? 'sources:' : 'sources: []',
    ...sources,
    ...(account.length === 0 ? [] : ['', '# How AWS is reached.', 'aws:', ...account]),
    '',
    '# Where alerts go. Slack, mail, webhooks, SNS and more: docs/destinations.md.',
    'sinks:',
    '  - id: out',
    '    type: file',
    '    path: alerts.jsonl',
    '    # Only of this severity or above.',
    '    min_severity: low',
    '',
    '# Without hunts, every detector judges what is new whenever something is stored.',
    '# hunts:',
    '#   - id: severe',
    '#     min_severity: high',
    '',
    'watch:',
    '  # How often folders and buckets are listed.',
    `  poll: ${isPolledForMoney ? POLL : '10s'}`,
    '  # Tell when a source that always delivered has gone silent.',
    '  silence: true',
    '  # Once a day, how the last one was.',
    '  # all_quiet: 0 8 * * *',
    '',
    '# Events older than this are pruned; without it all are kept.',
    '# retention: 400d',
    '',
  ].join('\n');
}

function awsLines({ profile, region, endpointUrl, roleArn, externalId, requestPayer }: AwsOptions): string[] {
  const named = {
    profile,
    region,
    endpoint_url: endpointUrl,
    role_arn: roleArn,
    external_id: externalId,
    request_payer: requestPayer,
  };
  const given = Object.entries(named).filter(([, value]) => value !== undefined);
  if (given.length === 0) return [];
  return stringify(Object.fromEntries(given))
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`);
}

/** One line on a trail, for people. */
export function trailText(trail: Trail): string {
  const { name, isOrganizations, isMultiRegion, homeRegion, isLogging, selects } = trail;
  const facts = [
    ...(isLogging === false ? ['not logging'] : []),
    ...(isOrganizations ? ["the organisation's"] : []),
    isMultiRegion ? 'all regions' : `only ${homeRegion}`,
    ...(selects === null ? ['what it selects may not be asked'] : selected(selects)),
    ...(trail.hasInsights === true ? ['Insights events'] : []),
  ];
  return `trail ${name}: ${facts.join('; ')}`;
}

function selected({ management, excluded, data }: NonNullable<Trail['selects']>): string[] {
  const managed = half(management);
  return [
    managed === 'no' ? 'no management events' : `${managed} management events`,
    ...(excluded.length > 0 ? [`without those of ${excluded.join(', ')}`] : []),
    data.size === 0
      ? 'no data events'
      : `data events of ${[...data].map(([type, selection]) => (half(selection) === 'all' ? type : `${type} (${half(selection)})`)).join(', ')}`,
  ];
}

function half({ read, write }: Selection): string {
  if (read && write) return 'all';
  if (read) return 'reading';
  return write ? 'writing' : 'no';
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/security_iam_service-with-iam.html. */
export function readerPolicy({ partition, places, kmsKeys }: Survey): object {
  const prefixes = new Map<string, string[]>();
  for (const { bucket, prefix } of places) prefixes.set(bucket, [...(prefixes.get(bucket) ?? []), prefix]);
  const arn = (path: string): string => `arn:${partition}:s3:::${path}`;
  return {
    Version: '2012-10-17',
    Statement: [
      ...[...prefixes].map(([bucket, below]) => ({
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: arn(bucket),
        // A place that is the whole bucket needs no condition.
        ...(!below.includes('') && { Condition: { StringLike: { 's3:prefix': below.map((prefix) => `${prefix}*`) } } }),
      })),
      {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: places.map(({ bucket, prefix }) => arn(`${bucket}/${prefix}*`)),
      },
      ...(kmsKeys.length > 0 ? [{ Effect: 'Allow', Action: 'kms:Decrypt', Resource: kmsKeys }] : []),
    ],
  };
}
