/** Killed at random moments, ingest and compaction go on where they were: nothing lost, nothing doubled, nothing left lying about. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Corpus, corpus } from '../../bench/corpus.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { openStore } from '../../src/store/store.ts';
import { differences, run, start } from '../support/stores.ts';

const KILLS = Number(process.env['TRAILHOUND_KILLS'] ?? 100);
/** A run of this archive takes about this long: kills fall anywhere in it, and a little behind. */
const RUN_MS = 5000;

let folder: string;
let archive: Corpus;
let undisturbed: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-crash-'));
  archive = await corpus({ name: 'crash', events: 150_000, days: 5, seed: 11 }, () => undefined);
  undisturbed = join(folder, 'undisturbed');
  expect(await run(['ingest', archive.dir, '--store', undisturbed])).toMatchObject({ status: 0 });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts the command, kills it after a random time; false when it had ended before. */
async function killed(
  args: readonly string[],
  signal: NodeJS.Signals,
  withinMs: number,
): Promise<{ killed: boolean; status: number | null }> {
  const child = start(args);
  const ended = new Promise<number | null>((resolve) => {
    // Before Node runs our code Ctrl-C ends it by the signal itself, which a shell reports as 130 as well.
    child.once('exit', (status, by) => resolve(by === 'SIGINT' ? 130 : status));
  });
  child.stderr?.resume();
  await Promise.race([ended, sleep(Math.random() * withinMs)]);
  const wasRunning = child.exitCode === null;
  if (wasRunning) child.kill(signal);
  return { killed: wasRunning, status: await ended };
}

async function expectWhole(dir: string): Promise<void> {
  const store = await openStore(dir);
  const status = await store.status();
  const check = await store.check([cloudtrailTable]);
  await store.close();
  expect({ problems: check.problems, unlisted: check.unlisted, staged: readdirSync(join(dir, 'staging')) }).toEqual({
    problems: [],
    unlisted: [],
    staged: [],
  });
  expect({ balanced: status.balanced, in: status.records.in, rejected: status.records.rejected }).toEqual({
    balanced: true,
    in: archive.events,
    rejected: 0,
  });
  expect(await differences(dir, undisturbed)).toEqual({ onlyA: 0, onlyB: 0, rows: archive.events });
}

describe('kill -9', () => {
  test(`at ${KILLS} random moments of ingest loses and doubles nothing`, async () => {
    let kills = 0;
    for (let stores = 0; kills < KILLS; stores++) {
      const dir = join(folder, `killed-${stores}`);
      // Up to 12 kills within one ingest, each resumed by the next.
      for (let attempt = 0; attempt < 12 && kills < KILLS; attempt++) {
        const outcome = await killed(['ingest', archive.dir, '--store', dir], 'SIGKILL', RUN_MS / 2);
        if (!outcome.killed) break;
        kills++;
        const store = await openStore(dir, { create: true });
        expect((await store.status()).balanced).toBe(true);
        await store.close();
      }
      expect(await run(['ingest', archive.dir, '--store', dir])).toMatchObject({ status: 0 });
      await expectWhole(dir);
      rmSync(dir, { recursive: true });
    }
  });

  test(`at ${KILLS} random moments of compaction loses and doubles nothing`, async () => {
    const dir = join(folder, 'compacted');
    let kills = 0;
    while (kills < KILLS) {
      rmSync(dir, { recursive: true, force: true });
      expect(await run(['ingest', archive.dir, '--store', dir])).toMatchObject({ status: 0 });
      for (let attempt = 0; attempt < 25 && kills < KILLS; attempt++) {
        const outcome = await killed(['store', 'compact', '--store', dir], 'SIGKILL', 1500);
        if (!outcome.killed) break;
        kills++;
        const store = await openStore(dir);
        expect((await store.status()).balanced).toBe(true);
        await store.close();
      }
      expect(await run(['store', 'compact', '--store', dir])).toMatchObject({ status: 0 });
      await expectWhole(dir);
    }
  });
});

describe('Ctrl-C', () => {
  test('ends ingest with 130 in every phase, and the next run completes', async () => {
    const dir = join(folder, 'interrupted');
    const statuses = new Set<number | null>();
    for (let round = 0; round < 25; round++) {
      const outcome = await killed(['ingest', archive.dir, '--store', dir], 'SIGINT', RUN_MS / 2);
      if (outcome.killed) statuses.add(outcome.status);
    }
    // A signal that arrives after the last commit may find nothing left to interrupt.
    expect([...statuses].filter((status) => status !== 130 && status !== 0)).toEqual([]);
    expect(await run(['ingest', archive.dir, '--store', dir])).toMatchObject({ status: 0 });
    await expectWhole(dir);
  });
});
