/** Recorded attacks as if they had happened in an account and on a day of another archive. Ids stay, so that alerts can be told by them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DAY_MS } from '../../src/time.ts';
import { readOpinions, recordsOf } from './opinions.ts';

export interface RecordedAttack {
  readonly name: string;
  readonly records: readonly RawRecord[];
  /** Of the records that are the attack; others of the recording lie beside it. */
  readonly eventIds: ReadonlySet<string>;
}

interface RawRecord {
  readonly eventID: string;
  readonly eventName: string;
  readonly eventTime: string;
  readonly awsRegion: string;
  readonly recipientAccountId: string;
  readonly userAgent?: string;
  readonly userIdentity?: { readonly arn?: string };
}

export interface Place {
  readonly account: string;
  readonly region: string;
  /** Start of the day on which it begins, at the time of day at which it was recorded. */
  readonly dayMs: number;
  /** The user of the account whose keys were stolen. */
  readonly user: string;
}

/** The campaign's account holder looks around meanwhile: that is no attack. */
const BYSTANDER = /:user\/benjamin$/u;
/** Who ran the tool. */
const ATTACKER = /christophe|bert-jan/gu;
/** The tool names itself; an attacker changes that first. */
const TOOL = /^stratus-red-team_/u;
const PLAIN_AGENT = 'aws-sdk-go-v2/1.41.1 os/linux lang/go#1.25.5 md/GOOS#linux md/GOARCH#amd64';
const TIME = /(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\dZ)/gu;

/** The techniques one by one, the campaign, and those of its techniques that have no recording of their own, each without what was done before it. */
export function recordedAttacks(folder: string): readonly RecordedAttack[] {
  const jsonFiles = (dir: string): string[] =>
    readdirSync(dir)
      .filter((name) => name.endsWith('.json'))
      .toSorted()
      .map((name) => join(dir, name));
  const techniques = jsonFiles(join(folder, 'stratus-detonation')).map((path) =>
    attackOf(basename(path, '.json'), JSON.parse(readFileSync(path, 'utf8')) as RawRecord[]),
  );
  const campaign = jsonFiles(join(folder, 'invictus-aws', 'CloudTrail')).flatMap(
    (path) => (JSON.parse(readFileSync(path, 'utf8')) as { Records: RawRecord[] }).Records,
  );
  const known = new Set(techniques.map(({ name }) => name));
  const others = readOpinions().campaign.flatMap((entry) =>
    entry.missed !== undefined || known.has(entry.technique)
      ? []
      : [attackOf(`${entry.technique} alone`, recordsOf(entry, campaign))],
  );
  return [...techniques, attackOf('the campaign', campaign), ...others];
}

function attackOf(name: string, records: readonly RawRecord[]): RecordedAttack {
  const own = records.filter(({ userIdentity }) => !BYSTANDER.test(userIdentity?.arn ?? ''));
  return { name, records, eventIds: new Set(own.map(({ eventID }) => eventID)) };
}

/** Writes the attack as one log file, moved to that place by whole days. */
export function writeTransplant(path: string, { records }: RecordedAttack, place: Place): void {
  const [first] = records.map(({ eventTime }) => eventTime).toSorted();
  const shiftMs = place.dayMs - Date.parse(`${first?.slice(0, 10)}T00:00:00Z`);
  const accounts = new Set(records.map(({ recipientAccountId }) => recipientAccountId));
  const regions = new Set(records.map(({ awsRegion }) => awsRegion));
  const moved = records.map((record) => {
    let text = JSON.stringify(record).replace(TIME, (_, day: string, time: string) => {
      const ms = Date.parse(`${day}T00:00:00Z`) + shiftMs;
      return `${new Date(ms - (ms % DAY_MS)).toISOString().slice(0, 10)}T${time}`;
    });
    for (const account of accounts) text = text.replaceAll(account, place.account);
    for (const region of regions) text = text.replaceAll(region, place.region);
    text = text.replace(ATTACKER, place.user);
    const { userAgent, ...rest } = JSON.parse(text) as RawRecord;
    if (userAgent === undefined) return rest;
    return { ...rest, userAgent: TOOL.test(userAgent) ? PLAIN_AGENT : userAgent };
  });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify({ Records: moved }));
}
