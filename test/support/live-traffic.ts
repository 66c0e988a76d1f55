/** Log files that land in a folder while it is watched: ordinary traffic, and incidents of which each is known by a name that nothing else bears. */
import { appendFileSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { WORLDS } from '../../bench/worlds.ts';
import { HEX, Random } from '../../scripts/support/random.ts';
import { accessKey, type Caller, type Json, record, uniqueId, userIdentity } from '../../scripts/support/records.ts';

const { keyOf, contentOf } = WORLDS.cloudtrail;
const ACCOUNTS = ['111122223333', '222233334444', '333344445555'] as const;
const REGIONS = ['us-east-1', 'eu-central-1'] as const;

/** An incident that was planted. */
export interface Plant {
  readonly detector: string;
  /** In the subject of its alert, and nowhere else. */
  readonly name: string;
  /** When the file that completes it had landed; null while it has not. */
  landedAtMs: number | null;
}

export interface LandedFiles {
  ordinary: number;
  planted: number;
  /** Of events that are minutes old. */
  late: number;
  /** The same bytes under another name. */
  copies: number;
  /** Cut off first, and whole some seconds later. */
  repaired: number;
  /** Written in place, with a pause in the middle. */
  slow: number;
  /** Never whole, or no log file at all. */
  broken: number;
}

interface Scene {
  readonly random: Random;
  readonly at: number;
  readonly region: string;
  readonly account: string;
  readonly name: string;
}

interface Incident {
  readonly detector: string;
  /** The records of each of its files. */
  parts(scene: Scene): readonly (readonly Json[])[];
}

function caller({ random, account, name }: Scene): Caller {
  const user = { account, name, id: uniqueId('AIDA', random), key: accessKey('AKIA', random) };
  return { identity: userIdentity(user), address: '203.0.113.77', agent: 'aws-cli/2.33.2', account };
}

const list = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));

function signIn(scene: Scene, at: number, isGood: boolean): Json {
  const { account, name, random, region } = scene;
  const known = caller(scene);
  const identity = isGood ? known.identity : { type: 'IAMUser', accountId: account, accessKeyId: '', userName: name };
  return record(
    { ...known, identity },
    {
      action: 'signin:ConsoleLogin',
      at,
      region,
      eventType: 'AwsConsoleSignIn',
      response: { ConsoleLogin: isGood ? 'Success' : 'Failure' },
      additional: { MFAUsed: 'No' },
      ...(!isGood && { extra: { errorMessage: 'Failed authentication' } }),
    },
    random,
  );
}

/** Single events, a threshold, and sequences; of those with two files either may land first. */
const INCIDENTS: readonly Incident[] = [
  {
    detector: 'trail-logging-stopped',
    parts: (scene) => [
      [
        record(
          caller(scene),
          { action: 'cloudtrail:StopLogging', at: scene.at, region: scene.region, request: { name: 'main' } },
          scene.random,
        ),
      ],
    ],
  },
  {
    detector: 'denied-call-spike',
    parts: (scene) => {
      const known = caller(scene);
      const error = { code: 'AccessDenied', message: 'not authorized' };
      const refused = (index: number): Json =>
        record(
          known,
          { action: 's3:GetBucketPolicy', at: scene.at - index * 5000, region: scene.region, error },
          scene.random,
        );
      return [list(12, refused), list(12, (index) => refused(12 + index))];
    },
  },
  {
    detector: 'console-login-after-failures',
    parts: (scene) => [
      list(5, (index) => signIn(scene, scene.at - (index + 1) * 10_000, false)),
      [signIn(scene, scene.at, true)],
    ],
  },
  {
    detector: 'kms-key-deletion-scheduled',
    parts: (scene) => [
      [
        record(
          caller(scene),
          {
            action: 'kms:ScheduleKeyDeletion',
            at: scene.at,
            region: scene.region,
            request: { keyId: scene.random.uuid(), pendingWindowInDays: 7 },
          },
          scene.random,
        ),
      ],
    ],
  },
  {
    detector: 'user-created-with-key',
    parts: (scene) => {
      const known = caller({ ...scene, name: `admin.${scene.random.text(HEX, 6)}` });
      const call = (action: string, at: number): readonly Json[] => [
        record(known, { action, at, region: 'us-east-1', request: { userName: scene.name } }, scene.random),
      ];
      return [call('iam:CreateUser', scene.at - 20_000), call('iam:CreateAccessKey', scene.at)];
    },
  },
];

/** One file in so many completes or begins an incident. */
const PLANT_EVERY = 12;
const MINUTE_MS = 60_000;

export class LiveTraffic {
  readonly plants: Plant[] = [];
  readonly landed: LandedFiles = { ordinary: 0, planted: 0, late: 0, copies: 0, repaired: 0, slow: 0, broken: 0 };
  readonly #dir: string;
  readonly #aside: string;
  readonly #random: Random;
  readonly #pending = new Set<Promise<void>>();
  #files = 0;

  /** `aside`: a folder on the same disk that nobody watches, from which files are moved in as a whole. */
  constructor(dir: string, aside: string, seed: string) {
    this.#dir = dir;
    this.#aside = aside;
    this.#random = new Random(seed);
    mkdirSync(dir, { recursive: true });
    mkdirSync(aside, { recursive: true });
  }

  /** About so many files a second until the signal is raised; then what was begun is completed. */
  async run(perSecond: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#files % PLANT_EVERY === 0) this.#begin(this.#plant());
      else this.#begin(this.#ordinary());
      this.#files++;
      await sleep((2000 / perSecond) * this.#random.next());
    }
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #begin(work: Promise<void>): void {
    const pending = work.finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
  }

  async #ordinary(): Promise<void> {
    const random = this.#random;
    const isLate = random.chance(0.1);
    const at = Date.now() - (isLate ? (2 + random.below(20)) * MINUTE_MS : 0);
    const { path, bytes } = this.#file(at, []);
    if (random.chance(0.03)) return this.#broken(path, bytes);
    await this.#land(path, bytes);
    this.landed.ordinary++;
    if (isLate) this.landed.late++;
    if (random.chance(0.05)) {
      await sleep(random.below(20_000));
      this.#copy(at, bytes);
    }
  }

  async #plant(): Promise<void> {
    const random = this.#random;
    const isLate = random.chance(0.2);
    const at = Date.now() - (isLate ? (2 + random.below(20)) * MINUTE_MS : random.below(MINUTE_MS));
    const incident = INCIDENTS[this.plants.length % INCIDENTS.length] as Incident;
    const name = `planted-${String(this.plants.length).padStart(5, '0')}`;
    const plant: Plant = { detector: incident.detector, name, landedAtMs: null };
    this.plants.push(plant);
    const parts = incident.parts({ random, at, region: random.pick(REGIONS), account: random.pick(ACCOUNTS), name });
    let last = 0;
    for (const part of random.chance(0.5) ? parts : parts.toReversed()) {
      const { path, bytes } = this.#file(at, part);
      last = await this.#land(path, bytes);
      this.landed.planted++;
      if (isLate) this.landed.late++;
      if (random.chance(0.1)) this.#copy(at, bytes);
      if (parts.length > 1) await sleep(random.below(4000));
    }
    plant.landedAtMs = last;
  }

  /** Ordinary records, and behind them what is planted. */
  #file(at: number, planted: readonly Json[]): { readonly path: string; readonly bytes: Buffer } {
    const random = this.#random;
    const account = random.pick(ACCOUNTS);
    const region = random.pick(REGIONS);
    const path = join(this.#dir, keyOf({ account, region, at }, random));
    const seed = random.below(2 ** 32);
    const { text } = contentOf({ path, account, region, delivered: at, records: 5 + random.below(56), seed });
    const { Records: ordinary } = JSON.parse(text) as { Records: Json[] };
    return { path, bytes: gzipSync(JSON.stringify({ Records: [...ordinary, ...planted] })) };
  }

  /** Returns when it had landed as a whole. */
  async #land(path: string, bytes: Buffer): Promise<number> {
    const random = this.#random;
    const half = Math.floor(bytes.length / 2);
    const manner = random.next();
    if (manner < 0.05) {
      this.#move(path, bytes.subarray(0, half));
      await sleep(3000 + random.below(5000));
      this.#move(path, bytes);
      this.landed.repaired++;
    } else if (manner < 0.1) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes.subarray(0, half));
      await sleep(1000);
      appendFileSync(path, bytes.subarray(half));
      this.landed.slow++;
    } else this.#move(path, bytes);
    return statSync(path).mtimeMs;
  }

  #copy(at: number, bytes: Buffer): void {
    const where = { account: ACCOUNTS[0], region: REGIONS[0], at };
    this.#move(join(this.#dir, keyOf(where, this.#random)), bytes);
    this.landed.copies++;
  }

  #broken(path: string, bytes: Buffer): void {
    const kinds = [
      bytes.subarray(0, Math.floor(bytes.length / 3)),
      gzipSync('<html>no such bucket</html>'),
      Buffer.from(this.#random.text(HEX, 500)),
      Buffer.alloc(0),
    ];
    this.#move(path, kinds[this.landed.broken % kinds.length] as Buffer);
    this.landed.broken++;
  }

  #move(path: string, bytes: Buffer): void {
    mkdirSync(dirname(path), { recursive: true });
    const aside = join(this.#aside, 'next');
    writeFileSync(aside, bytes);
    renameSync(aside, path);
  }
}
