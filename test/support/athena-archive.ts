/** A bucket of logs in a folder, as AWS lays them out: whole files of the sample logs, access logs, WAF logs, each with copies that come late. */

import { isUtf8 } from 'node:buffer';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

export const ARCHIVE_BUCKET = 'example-logs';

export interface Archive {
  readonly dir: string;
  close(): void;
}

/** Athena reads a file to its end or not at all: what is broken is left to the tests of the decoders. */
function isWhole(path: string): boolean {
  try {
    const bytes = gunzipSync(readFileSync(path));
    return isUtf8(bytes) && Array.isArray((JSON.parse(bytes.toString('utf8')) as { Records?: unknown }).Records);
  } catch {
    return false;
  }
}

export function writeArchive(): Archive {
  const dir = mkdtempSync(join(tmpdir(), 'trailhound-archive-'));
  const put = (key: string, bytes: Uint8Array | string): void => {
    mkdirSync(dirname(join(dir, key)), { recursive: true });
    writeFileSync(join(dir, key), bytes);
  };
  for (const name of readdirSync('sample-logs', { recursive: true, encoding: 'utf8' })) {
    const path = join('sample-logs', name);
    if (!/\/CloudTrail(?:-Insight)?\/.*\.json\.gz$/u.test(name) || !statSync(path).isFile() || !isWhole(path)) continue;
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    copyFileSync(path, join(dir, name));
    // Delivered again, a day later.
    if (name.includes('/444455556666/') && name.includes('/2026/03/04/')) {
      const late = name.replaceAll('2026/03/04', '2026/03/05').replace('.json.gz', 'again.json.gz');
      mkdirSync(dirname(join(dir, late)), { recursive: true });
      copyFileSync(path, join(dir, late));
    }
  }
  const lines = readFileSync('test/formats/fixtures/s3-access/fields.log', 'utf8');
  put('access/111122223333/us-east-1/example-bucket/2019/02/06/2019-02-06-00-00-00-0000000000000001', lines);
  put('access/111122223333/us-east-1/example-bucket/2019/02/07/2019-02-07-00-00-00-0000000000000002', lines);
  const waf = gzipSync(readFileSync('test/formats/fixtures/waf.ndjson'));
  put(
    'AWSLogs/111122223333/WAFLogs/us-east-1/example-acl/2023/04/24/22/10/111122223333_waflogs_us-east-1_example-acl_20230424T2210Z_1.log.gz',
    waf,
  );
  put(
    'AWSLogs/111122223333/WAFLogs/us-east-1/example-acl/2023/04/24/22/15/111122223333_waflogs_us-east-1_example-acl_20230424T2215Z_2.log.gz',
    waf,
  );
  return { dir, close: () => rmSync(dir, { recursive: true, force: true }) };
}
