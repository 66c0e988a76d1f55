/** An organisation's bucket: three accounts in four regions for a month, and as many log files as are asked for. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ACCOUNTS as ALL_ACCOUNTS, REGIONS as ALL_REGIONS, logFileText } from '../../bench/world.ts';
import { LETTERS_AND_DIGITS, Random } from '../../scripts/support/random.ts';
import { iso } from '../../scripts/support/records.ts';

export const ORGANIZATION_ACCOUNTS = ALL_ACCOUNTS.slice(0, 3);
const REGIONS = ALL_REGIONS.slice(0, 4);
const DAYS = 30;
const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(2026, 0, 1);
const RECORDS_MAX = 8;

export interface Organization {
  readonly files: number;
  readonly events: number;
}

/** Writes about so many files below a folder, as keys of a bucket. */
export function writeOrganization(dir: string, about: number): Organization {
  const random = new Random('organization');
  const perDay = Math.round(about / (ORGANIZATION_ACCOUNTS.length * REGIONS.length * DAYS));
  let files = 0;
  let events = 0;
  for (const account of ORGANIZATION_ACCOUNTS) {
    for (const region of REGIONS) {
      for (let day = 0; day < DAYS; day++) {
        for (let index = 1; index <= perDay; index++) {
          const delivered = FIRST_MS + day * DAY_MS + Math.floor((index * DAY_MS) / (perDay + 1));
          const [date = '', time = ''] = iso(delivered).split('T');
          const stamp = `${date.replaceAll('-', '')}T${time.slice(0, 5).replace(':', '')}Z`;
          const path = `AWSLogs/o-exampleorgid/${account}/CloudTrail/${region}/${date.replaceAll('-', '/')}/${account}_CloudTrail_${region}_${stamp}_${random.text(LETTERS_AND_DIGITS, 16)}.json.gz`;
          const seed = random.below(2 ** 32);
          const { text, records } = logFileText({
            path,
            account,
            region,
            delivered,
            records: 1 + random.below(RECORDS_MAX),
            seed,
          });
          mkdirSync(dirname(join(dir, path)), { recursive: true });
          writeFileSync(join(dir, path), gzipSync(text, { level: 1 }));
          files++;
          events += records;
        }
      }
    }
  }
  return { files, events };
}
