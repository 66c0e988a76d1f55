/** An ordinary archive of any size, with a known number of planted incidents; built once for each shape, then kept in bench/.corpus. */
import { fork } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Random } from '../scripts/support/random.ts';
import { ACCOUNTS, REGIONS } from './world.ts';
import { WORLDS } from './worlds.ts';

export interface Shape {
  readonly name: string;
  /** Absent: CloudTrail. */
  readonly logs?: keyof typeof WORLDS;
  readonly events: number;
  /** The events spread over this many days. */
  readonly days: number;
  /** Every file holds this many records; absent: as real archives, few large files and many small ones. */
  readonly recordsPerFile?: number;
  /** Nothing is planted: what is found in such an archive is noise. */
  readonly quiet?: boolean;
  readonly seed: number;
}

export interface FileJob {
  readonly path: string;
  readonly account: string;
  readonly region: string;
  /** Delivery time in ms. */
  readonly delivered: number;
  readonly records: number;
  readonly seed: number;
  /** Name of the incident that happens in this file, if one does. */
  readonly incident?: string;
}

export interface Corpus {
  readonly dir: string;
  readonly files: number;
  readonly events: number;
  /** Before and after gzip. */
  readonly rawBytes: number;
  readonly gzipBytes: number;
  readonly incidents: number;
}

/** What one process of the generator wrote. */
export type Written = Pick<Corpus, 'events' | 'rawBytes' | 'gzipBytes'>;

/** Raised when the generator's output changes, so that kept archives are built anew. */
const GENERATOR_VERSION = 2;
const FIRST_DAY = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const DELIVERY_EVERY = 300_000;
const DELIVERIES_A_DAY = DAY / DELIVERY_EVERY;
/** As measured in real archives: about one file in six is a busy region's, and holds most of the records. */
const BUSY_SHARE = 0.16;
/** Ordinary work alone says nothing about a detector; one incident in so many events is rare enough to stay ordinary. */
const EVENTS_PER_INCIDENT = 100_000;

const ROOT = fileURLToPath(new URL('.corpus/', import.meta.url));

/** The files of an archive; depends on the shape alone, not on how many processes write it. */
export function plan(shape: Shape): FileJob[] {
  const { incidents, keyOf } = WORLDS[shape.logs ?? 'cloudtrail'];
  const random = new Random(shape.seed);
  const jobs: FileJob[] = [];
  let left = shape.events;
  let sinceIncident = EVENTS_PER_INCIDENT / 2;
  let planted = 0;
  for (let day = 0; day < shape.days; day++) {
    let today = Math.round(left / (shape.days - day));
    left -= today;
    while (today > 0) {
      const usual = random.chance(BUSY_SHARE) ? 1600 + random.below(900) : 20 + random.below(181);
      const records = Math.min(today, shape.recordsPerFile ?? usual);
      const account = ACCOUNTS[Math.floor(random.next() ** 1.7 * ACCOUNTS.length)] ?? ACCOUNTS[0];
      const region = REGIONS[Math.floor(random.next() ** 2 * REGIONS.length)] ?? REGIONS[0];
      const delivered = FIRST_DAY + day * DAY + (1 + random.below(DELIVERIES_A_DAY - 1)) * DELIVERY_EVERY;
      today -= records;
      sinceIncident += records;
      const due = shape.quiet !== true && sinceIncident >= EVENTS_PER_INCIDENT;
      if (due) sinceIncident -= EVENTS_PER_INCIDENT;
      jobs.push({
        path: keyOf({ account, region, at: delivered }, random),
        account,
        region,
        delivered,
        records,
        seed: random.below(2 ** 32),
        ...(due ? { incident: incidents[planted++ % incidents.length]?.name ?? '' } : {}),
      });
    }
  }
  return jobs;
}

/** The archive of this shape, from bench/.corpus or built now. */
export async function corpus(shape: Shape, log: (line: string) => void): Promise<Corpus> {
  const dir = join(ROOT, `v${GENERATOR_VERSION}-${shape.name}-${shape.events}`);
  const meta = join(dir, 'corpus.json');
  if (existsSync(meta)) return JSON.parse(readFileSync(meta, 'utf8')) as Corpus;
  log(`building the archive ${shape.name}: ${shape.events.toLocaleString('en')} events`);
  const unfinished = `${dir}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const processes = availableParallelism();
  const parts = await Promise.all(
    Array.from({ length: processes }, (_, part) => generate(shape, unfinished, part, processes)),
  );
  const jobs = plan(shape);
  const sum = (pick: (part: Written) => number): number => parts.reduce((total, part) => total + pick(part), 0);
  const built: Corpus = {
    dir: join(dir, 'bucket'),
    files: jobs.length,
    events: sum((part) => part.events),
    rawBytes: sum((part) => part.rawBytes),
    gzipBytes: sum((part) => part.gzipBytes),
    incidents: jobs.filter((job) => job.incident !== undefined).length,
  };
  writeFileSync(join(unfinished, 'corpus.json'), `${JSON.stringify(built, null, 2)}\n`);
  rmSync(dir, { recursive: true, force: true });
  renameSync(unfinished, dir);
  return built;
}

function generate(shape: Shape, dir: string, part: number, parts: number): Promise<Written> {
  return new Promise((resolve, reject) => {
    const child = fork(
      fileURLToPath(new URL('corpus-process.ts', import.meta.url)),
      [JSON.stringify(shape), join(dir, 'bucket'), String(part), String(parts)],
      { execArgv: ['--import', 'tsx'] },
    );
    let written: Written | undefined;
    child.on('message', (message) => (written = message as Written));
    child.on('error', reject);
    child.on('exit', (status) =>
      written === undefined ? reject(new Error(`the generator ended with status ${status}`)) : resolve(written),
    );
  });
}
