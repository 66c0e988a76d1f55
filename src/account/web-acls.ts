/** The web ACLs of an account: which of them log, and where to. */
import {
  ListLoggingConfigurationsCommand,
  ListWebACLsCommand,
  type LoggingConfiguration,
  type Scope,
  WAFV2Client,
} from '@aws-sdk/client-wafv2';
import { clientConfig } from '../aws.ts';
import type { AwsOptions } from '../source.ts';
import type { Questions } from './questions.ts';

export interface WebAclLog {
  readonly webAcl: string;
  readonly account: string;
  readonly bucket: string;
  readonly prefix: string;
}

/** The region that speaks for web ACLs of CloudFront: https://docs.aws.amazon.com/waf/latest/developerguide/how-aws-waf-works-resources.html. */
const CLOUDFRONT_REGION = 'us-east-1';
/** Partitions without CloudFront, in which its region takes no credentials. */
const WITHOUT_CLOUDFRONT = /^(?:cn|us-gov|us-iso)/u;
/** AWS's own bounds are 100 web ACLs a region: pages beyond these are somebody's mistake. */
const PAGES_MAX = 20;

/** `regions`: null for the one that the client is set to. */
export async function findWebAclLogs(
  aws: AwsOptions,
  regions: readonly string[] | null,
  questions: Questions,
): Promise<{ readonly logs: readonly WebAclLog[]; readonly areAll: boolean }> {
  const scopes: readonly { readonly scope: Scope; readonly region: string | undefined }[] = [
    ...(regions ?? [undefined]).map((region) => ({ scope: 'REGIONAL' as const, region })),
    { scope: 'CLOUDFRONT', region: CLOUDFRONT_REGION },
  ];
  const logs: WebAclLog[] = [];
  let areAll = true;
  let hasCloudFront = true;
  for (const { scope, region } of scopes) {
    if (scope === 'CLOUDFRONT' && !hasCloudFront) continue;
    const client = new WAFV2Client({
      ...clientConfig({ ...aws, ...(region !== undefined && { region }) }),
      ...(aws.profile !== undefined && { profile: aws.profile }),
    });
    try {
      const asked = region ?? (await client.config.region());
      const where = scope === 'CLOUDFRONT' ? 'CloudFront' : asked;
      hasCloudFront &&= !WITHOUT_CLOUDFRONT.test(asked);
      const configurations = await questions.ask(
        `list what web ACLs of ${where} log (wafv2:ListLoggingConfigurations)`,
        () => allLogging(client, scope),
      );
      areAll &&= configurations !== null;
      for (const configuration of configurations ?? []) logs.push(...destinations(configuration, questions));
      const all = await questions.ask(`list the web ACLs of ${where} (wafv2:ListWebACLs)`, () =>
        allWebAcls(client, scope),
      );
      const logging = new Set((configurations ?? []).map(({ ResourceArn: arn }) => arn));
      for (const { ARN: arn, Name: name } of configurations === null ? [] : (all ?? [])) {
        if (!logging.has(arn)) questions.remarks.push(`the web ACL ${name} of ${where} logs nowhere`);
      }
    } finally {
      client.destroy();
    }
  }
  return { logs, areAll };
}

/** `NextMarker` until there is none; the service knows no paginator. */
async function everyPage<T>(
  page: (marker: string | undefined) => Promise<{ readonly items: readonly T[]; readonly next: string | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  let marker: string | undefined;
  for (let count = 0; count < PAGES_MAX; count++) {
    const { items, next } = await page(marker);
    all.push(...items);
    if (next === undefined || next === '' || items.length === 0) break;
    marker = next;
  }
  return all;
}

const allLogging = (client: WAFV2Client, scope: Scope) =>
  everyPage(async (NextMarker) => {
    const answer = await client.send(new ListLoggingConfigurationsCommand({ Scope: scope, NextMarker }));
    return { items: answer.LoggingConfigurations ?? [], next: answer.NextMarker };
  });

const allWebAcls = (client: WAFV2Client, scope: Scope) =>
  everyPage(async (NextMarker) => {
    const answer = await client.send(new ListWebACLsCommand({ Scope: scope, NextMarker }));
    return { items: answer.WebACLs ?? [], next: answer.NextMarker };
  });

function destinations(
  { ResourceArn: resource = '', LogDestinationConfigs: places = [], LoggingFilter: filter }: LoggingConfiguration,
  questions: Questions,
): WebAclLog[] {
  // arn:aws:wafv2:<region>:<account>:<scope>/webacl/<name>/<id>
  const [, account = '', webAcl = resource] =
    /^arn:[^:]+:wafv2:[^:]*:(\d{12}):[^/]+\/webacl\/([^/]+)/u.exec(resource) ?? [];
  if (filter !== undefined)
    questions.remarks.push(`the web ACL ${webAcl} logs only what its filter keeps: what it drops is never seen`);
  return places.flatMap((place) => {
    const [, bucket, prefix = ''] = /^arn:[^:]+:s3:::([^/]+)\/?(.*)$/su.exec(place) ?? [];
    if (bucket !== undefined) return [{ webAcl, account, bucket, prefix }];
    questions.remarks.push(
      `the web ACL ${webAcl} logs to ${place}, which is no bucket: name the bucket that it leads to among the sources`,
    );
    return [];
  });
}
