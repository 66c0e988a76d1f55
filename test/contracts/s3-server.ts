/** What an ingest from an S3 of others must do: find what a scope asks for by few requests, and lose or double nothing, whatever happens to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { openStore } from '../../src/store/store.ts';
import { CREDENTIALS } from '../sources/s3-support.ts';
import { type FilledMoto, motoMissing, startFilledMoto } from '../support/moto.ts';
import { ORGANIZATION_ACCOUNTS, type Organization, writeOrganization } from '../support/organization.ts';
import type { Fault } from '../support/s3-faults.ts';
import { startS3Proxy } from '../support/s3-proxy.ts';
import { differences, run, start } from '../support/stores.ts';

export interface S3ServerSize {
  readonly objects: number;
  readonly kills: number;
  /** A run takes about this long: kills fall anywhere in it. */
  readonly runMs: number;
  /** Some bodies stop in their middle, which takes twenty seconds to be noticed. */
  readonly stalls: boolean;
}

const BUCKET = 'organization-logs';
/** Five requests in a hundred. */
const FAULTS: readonly Fault[] = [
  { kind: 'slow-down', probability: 0.02 },
  { kind: 'reset', probability: 0.015 },
  { kind: 'cut', probability: 0.015 },
];
const STALL: Fault = { kind: 'stall', probability: 0.0005 };

export function testS3Server(name: string, { objects, kills, runMs, stalls }: S3ServerSize): void {
  const missing = motoMissing;
  describe.skipIf(missing !== null)(`${name}${missing === null ? '' : ` (skipped: ${missing})`}`, () => {
    let folder: string;
    let files: string;
    let organization: Organization;
    let local: string;
    let moto: FilledMoto;

    beforeAll(async () => {
      for (const [variable, value] of Object.entries(CREDENTIALS)) vi.stubEnv(variable, value);
      folder = mkdtempSync(join(tmpdir(), 'trailhound-s3-'));
      files = join(folder, 'bucket');
      organization = writeOrganization(files, objects);
      local = join(folder, 'local');
      moto = await startFilledMoto(files, BUCKET);
      expect(await run(['ingest', files, '--store', local])).toMatchObject({ status: 0 });
    });
    afterAll(async () => {
      await moto.close();
      rmSync(folder, { recursive: true });
    });

    const ingest = (endpoint: string, dir: string, ...options: string[]): string[] => [
      'ingest',
      `s3://${BUCKET}/AWSLogs/`,
      '--endpoint-url',
      endpoint,
      '--store',
      dir,
      ...options,
    ];

    async function expectWhole(dir: string): Promise<void> {
      const store = await openStore(dir);
      const status = await store.status();
      const check = await store.check([cloudtrailTable]);
      await store.close();
      expect({
        problems: check.problems,
        balanced: status.balanced,
        files: status.files,
        records: [status.records.in, status.records.stored],
      }).toMatchObject({
        problems: [],
        balanced: true,
        files: { seen: organization.files, done: organization.files, damaged: 0, failed: 0 },
        records: [organization.events, organization.events],
      });
      expect(await differences(dir, local)).toEqual({ onlyA: 0, onlyB: 0, rows: organization.events });
    }

    test('one day of one account lists less than 5 % of the keys, and finds what lies there', async () => {
      const scope = ['--from', '2026-01-10', '--to', '2026-01-11', '--account', ORGANIZATION_ACCOUNTS[1] ?? ''];
      const proxy = await startS3Proxy(moto.port);
      const [some, locally] = [join(folder, 'some'), join(folder, 'some-locally')];
      expect(await run(ingest(proxy.url, some, ...scope))).toMatchObject({ status: 0 });
      await proxy.close();
      expect(await run(['ingest', files, '--store', locally, ...scope])).toMatchObject({ status: 0 });
      const { rows, ...apart } = await differences(some, locally);
      expect(apart).toEqual({ onlyA: 0, onlyB: 0 });
      expect(rows).toBeGreaterThan(organization.events / 60);
      expect(proxy.counts.keysListed).toBeLessThan(organization.files / 20);
      expect(proxy.counts.list).toBeLessThan(40);
      process.stderr.write(
        `${organization.files} objects; one day of one account: ${proxy.counts.list} LIST, ${proxy.counts.keysListed} keys, ${proxy.counts.get} GET, ${rows} events\n`,
      );
    });

    test(`killed at ${kills} random moments and resumed, the whole bucket is stored once`, async () => {
      const dir = join(folder, 'killed');
      const endpoint = `http://127.0.0.1:${moto.port}`;
      let killed = 0;
      while (killed < kills) {
        const child = start(ingest(endpoint, dir));
        const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
        child.stderr?.resume();
        await Promise.race([ended, sleep(Math.random() * runMs)]);
        if (child.exitCode === null) {
          child.kill('SIGKILL');
          killed++;
          await ended;
        } else rmSync(dir, { recursive: true });
        const store = await openStore(dir, { create: true });
        expect((await store.status()).balanced).toBe(true);
        await store.close();
      }
      expect(await run(ingest(endpoint, dir))).toMatchObject({ status: 0 });
      await expectWhole(dir);
    });

    test('over a network that fails five requests in a hundred, the whole bucket is stored once', async () => {
      const proxy = await startS3Proxy(moto.port, stalls ? [STALL, ...FAULTS] : FAULTS);
      const dir = join(folder, 'faults');
      const started = performance.now();
      expect(await run(ingest(proxy.url, dir))).toMatchObject({ status: 0 });
      await proxy.close();
      expect(proxy.counts.faults).toBeGreaterThan(organization.files / 40);
      await expectWhole(dir);
      process.stderr.write(
        `${proxy.counts.faults} of ${proxy.counts.list + proxy.counts.get} requests failed; ${Math.round((performance.now() - started) / 1000)} s\n`,
      );
    });
  });
}
