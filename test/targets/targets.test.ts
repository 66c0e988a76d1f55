/** What every target of an export promises: a local folder, and a bucket of moto's. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Target, TargetFile } from '../../src/target.ts';
import { openTarget } from '../../src/targets/open.ts';
import { AWS_ENV, type Moto, motoMissing, startMoto } from '../support/moto.ts';

const folder = mkdtempSync(join(tmpdir(), 'trailhound-target-'));
const file = join(folder, 'bytes');
const BYTES = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 31) & 0xff));
writeFileSync(file, BYTES);
afterAll(() => rmSync(folder, { recursive: true }));

async function listed(target: Target, prefix: string): Promise<readonly TargetFile[]> {
  const files: TargetFile[] = [];
  for await (const one of target.list(prefix)) files.push(one);
  return files.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function promises(open: () => Promise<Target>): void {
  let target: Target;
  beforeAll(async () => {
    target = await open();
  });
  afterAll(() => target.close());

  test('a file is there with its size, below its prefix', async () => {
    await target.writeFile('data/a/2026/01/01/one.parquet', file);
    await target.writeFile('data/ab/two.parquet', file);
    expect(await listed(target, 'data/a/')).toEqual([
      { key: 'data/a/2026/01/01/one.parquet', sizeBytes: BYTES.length },
    ]);
    expect(await listed(target, 'nothing/')).toEqual([]);
  });

  test('a text is created once, and replaced at will', async () => {
    expect(await target.readText('a/list')).toBeNull();
    expect(await target.createText('a/list', 'first')).toBe(true);
    expect(await target.createText('a/list', 'second')).toBe(false);
    expect(await target.readText('a/list')).toBe('first');
    await target.writeText('a/list', 'third');
    expect(await target.readText('a/list')).toBe('third');
  });

  test('the end of a file is read, and no more of it than there is', async () => {
    await target.writeFile('data/c/ends', file);
    expect(Buffer.from(await target.readEnd('data/c/ends', 300)).equals(BYTES.subarray(-300))).toBe(true);
    expect(Buffer.from(await target.readEnd('data/c/ends', 1_000_000)).equals(BYTES)).toBe(true);
    await expect(target.readEnd('data/c/nothing', 8)).rejects.toMatchObject({ code: 'target-unwritable' });
  });

  test('what is removed is gone; what was not there is no error', async () => {
    await target.writeText('b/text', 'x');
    await target.remove('b/text');
    await target.remove('b/text');
    expect(await listed(target, 'b/')).toEqual([]);
  });
}

describe('a folder', () => {
  const root = join(folder, 'out');
  promises(() => openTarget(root, {}));

  test('holds the same bytes, and nothing half written', async () => {
    const target = await openTarget(root, {});
    expect(readFileSync(join(root, 'data/ab/two.parquet'))).toEqual(BYTES);
    await expect(target.writeFile('c/none', join(folder, 'no such file'))).rejects.toMatchObject({
      code: 'target-unwritable',
    });
    expect(await listed(target, 'c/')).toEqual([]);
  });

  test('that is a file is refused by its name', async () => {
    const target = await openTarget(file, {});
    await expect(target.writeText('a', 'x')).rejects.toThrow(`cannot write ${join(file, 'a')}`);
  });
});

describe.skipIf(motoMissing !== null)('a bucket', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
    for (const [name, value] of Object.entries(AWS_ENV)) vi.stubEnv(name, value);
    const client = new S3Client({ endpoint: moto.url, forcePathStyle: true });
    await client.send(
      new CreateBucketCommand({ Bucket: 'lake', CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' } }),
    );
    client.destroy();
  });
  afterAll(() => moto.stop());

  promises(() => openTarget('s3://lake/some/prefix', { endpointUrl: moto.url }));

  test('names keys as Athena does', async () => {
    const target = await openTarget('s3://lake/some/prefix/', { endpointUrl: moto.url });
    expect(target.addressOf('a/b')).toBe('s3://lake/some/prefix/a/b');
    target.close();
  });

  test('that is not there is named', async () => {
    const target = await openTarget('s3://no-such-bucket', { endpointUrl: moto.url });
    await expect(target.writeText('a', 'x')).rejects.toMatchObject({
      code: 'target-unwritable',
      message: expect.stringMatching(/^cannot write s3:\/\/no-such-bucket\/a: NoSuchBucket/),
    });
    target.close();
  });
});

test('a name that is no bucket is refused', async () => {
  await expect(openTarget('s3://No_Bucket/x', {})).rejects.toMatchObject({ code: 'usage-invalid' });
});
