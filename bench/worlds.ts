/** The kinds of logs of which the benchmark can build an archive. */
import { LETTERS_AND_DIGITS, type Random } from '../scripts/support/random.ts';
import { iso } from '../scripts/support/records.ts';
import type { FileJob } from './corpus.ts';
import { INCIDENTS as S3_ACCESS_INCIDENTS, s3AccessKey, s3AccessText } from './s3-access-world.ts';
import { INCIDENTS as WAF_INCIDENTS, wafKey, wafText } from './waf-world.ts';
import { INCIDENTS as CLOUDTRAIL_INCIDENTS, logFileText, type Where } from './world.ts';

interface World {
  /** What is planted, in turn. */
  readonly incidents: readonly { readonly name: string }[];
  /** Key of a file delivered at `where.at`. */
  keyOf(where: Where, random: Random): string;
  contentOf(job: FileJob): { readonly text: string; readonly records: number };
}

function cloudtrailKey({ account, region, at }: Where, random: Random): string {
  const day8 = iso(at).slice(0, 10);
  const stamp = iso(at).slice(0, 16).replace(/[-:]/g, '');
  return `AWSLogs/${account}/CloudTrail/${region}/${day8.replaceAll('-', '/')}/${account}_CloudTrail_${region}_${stamp}Z_${random.text(LETTERS_AND_DIGITS, 16)}.json.gz`;
}

export const WORLDS = {
  cloudtrail: { incidents: CLOUDTRAIL_INCIDENTS, keyOf: cloudtrailKey, contentOf: logFileText },
  waf: { incidents: WAF_INCIDENTS, keyOf: wafKey, contentOf: wafText },
  s3_access: { incidents: S3_ACCESS_INCIDENTS, keyOf: s3AccessKey, contentOf: s3AccessText },
} as const satisfies Record<string, World>;
