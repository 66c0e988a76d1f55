/** A look at an account: what it records, and the parts of buckets in which that lies. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { LoggedTable, LogPlace, Survey } from '../account.ts';
import { openS3Client } from '../aws-s3.ts';
import type { AwsOptions } from '../source.ts';
import { bucketKey, findAccessLogs, isFilled, organizationFolders } from './buckets.ts';
import { Questions } from './questions.ts';
import { type FoundTrail, findTrails } from './trails.ts';
import { findWebAclLogs } from './web-acls.ts';

type Named = Omit<LogPlace, 'isFilled'>;

export interface SurveyOptions {
  readonly aws: AwsOptions;
  /** Where web ACLs are looked for, besides CloudFront; null for the region of the client. */
  readonly wafRegions: readonly string[] | null;
}

/** Only asks. Throws `aws-credentials`, `usage-invalid` without a region, and `source-unreadable` where nothing answers. */
export async function survey({ aws, wafRegions }: SurveyOptions): Promise<Survey> {
  const questions = new Questions();
  const { trails, areAll: areAllTrails } = await findTrails(aws, questions);
  const webAcls = await findWebAclLogs(aws, wafRegions, questions);
  const s3 = await openS3Client(aws);
  try {
    const named: Named[] = [];
    for (const found of trails) named.push(...(await placesOf(found, s3, questions)));
    for (const { webAcl, account, bucket, prefix } of webAcls.logs)
      named.push(place(bucket, `${folder(prefix)}AWSLogs/${account}/WAFLogs/`, 'waf', `web ACL ${webAcl}`));
    const accessLogs = await findAccessLogs(s3, questions);
    for (const { of, bucket, prefix } of accessLogs.logs)
      named.push(place(bucket, prefix, 's3_access', `requests of the bucket ${of}`));
    const places: LogPlace[] = [];
    for (const one of joined(named))
      places.push({ ...one, isFilled: await isFilled(s3, one.bucket, one.prefix, questions) });
    const keys = new Set(trails.flatMap(({ trail }) => trail.kmsKey ?? []));
    for (const bucket of new Set(places.map((one) => one.bucket))) {
      const key = await bucketKey(s3, bucket, questions);
      if (key !== null) keys.add(key);
    }
    return {
      partition: /^arn:([^:]+):/u.exec(trails[0]?.arn ?? '')?.[1] ?? 'aws',
      trails: trails.map(({ trail }) => trail),
      places,
      kmsKeys: [...keys],
      uncertain: [
        ...(areAllTrails ? [] : (['cloudtrail'] as const)),
        ...(webAcls.areAll ? [] : (['waf'] as const)),
        ...(accessLogs.areAll ? [] : (['s3_access'] as const)),
      ],
      remarks: questions.remarks,
      refused: questions.refused,
    };
  } finally {
    s3.destroy();
  }
}

/** https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html. */
async function placesOf(
  { trail, arn, bucket, prefix }: FoundTrail,
  s3: S3Client,
  questions: Questions,
): Promise<Named[]> {
  const root = `${folder(prefix)}AWSLogs/`;
  const of = `trail ${trail.name}`;
  if (!trail.isOrganizations) return [place(bucket, `${root}${arn.split(':')[4]}/`, 'cloudtrail', of)];
  // Only the organisation itself says its id, and its folder has it as its name.
  const folders = await organizationFolders(s3, bucket, root, questions);
  return (folders.length > 0 ? folders : [root]).map((path) => place(bucket, path, 'cloudtrail', of));
}

const place = (bucket: string, prefix: string, table: LoggedTable, from: string): Named => ({
  bucket,
  prefix,
  tables: [table],
  from: [from],
});

const folder = (prefix: string): string => (prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`);

/** What lies inside another place is read with it. */
function joined(places: readonly Named[]): Named[] {
  const byPlace = new Map<string, Named>();
  const outermost = places.toSorted((a, b) => a.prefix.length - b.prefix.length);
  for (const one of outermost) {
    const around = [...byPlace.values()].find(
      ({ bucket, prefix }) => bucket === one.bucket && one.prefix.startsWith(prefix),
    );
    const { bucket, prefix } = around ?? one;
    byPlace.set(`${bucket}/${prefix}`, {
      bucket,
      prefix,
      tables: [...new Set([...(around?.tables ?? []), ...one.tables])],
      from: [...new Set([...(around?.from ?? []), ...one.from])],
    });
  }
  return [...byPlace.values()];
}
