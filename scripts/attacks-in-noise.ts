/**
 * Writes docs/attacks-in-noise.md: where recorded attacks stand by rank when each happens within a month of ordinary days, and within a loud one.
 * `npm run build && node --import tsx scripts/attacks-in-noise.ts <folder>`: the folder holds invictus-aws/ and stratus-detonation/, which are not ours to ship.
 * Ends with 1 where no alert of an attack is among the first ten.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Corpus, corpus, type Shape } from '../bench/corpus.ts';
import { ACCOUNTS, REGIONS } from '../bench/world.ts';
import { type Alert, SEVERITIES } from '../src/alert.ts';
import { DAY_MS } from '../src/time.ts';
import { code, table } from './docs/markdown.ts';
import { writeLoudDays } from './known-attacks/loud-days.ts';
import { type Place, type RecordedAttack, recordedAttacks, writeTransplant } from './known-attacks/transplant.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const CLI = here('../dist/src/cli/main.js');
const PAGE = here('../docs/attacks-in-noise.md');

/** Where an attack has to stand by rank. */
const FIRST_PAGE = 10;
const FIRST_DAY_MS = Date.UTC(2026, 0, 1);
const SHAPE: Shape = { name: 'mixed', events: 400_000, days: 30, seed: 1 };
/** Late enough that baselines are warm, with ordinary days behind it. */
const PLACE: Place = { account: ACCOUNTS[0], region: REGIONS[0], dayMs: FIRST_DAY_MS + 20 * DAY_MS, user: 'mary.b011' };

const CONTENTS = [
  'ordinary work of five accounts',
  'the same with four planted incidents: a trail stopped, a key of root, a fleet terminated, a stranger refused again and again',
  'the same with incidents, and in each account every day a scanner that is refused 360 times and a pipeline that creates roles, users and keys, attaches administrator policies and opens ports to the world; every week somebody as root',
];

const [folder] = process.argv.slice(2);
if (folder === undefined || !existsSync(CLI)) {
  console.error('npm run build && node --import tsx scripts/attacks-in-noise.ts <folder of the data>');
  process.exit(2);
}
const work = mkdtempSync(join(tmpdir(), 'trailhound-noise-'));
const attacks = recordedAttacks(folder);
const mistakes: string[] = [];

function trailhound(store: string, ...args: string[]): Alert[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [CLI, ...args, '--store', store, '--output', 'jsonl', '--quiet'],
    { encoding: 'utf8', maxBuffer: 2 ** 30 },
  );
  if (status !== 0) throw new Error(`trailhound ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Alert);
}

interface Archive {
  readonly name: string;
  readonly events: number;
  /** Its alerts before the attack. */
  readonly alerts: readonly Alert[];
  readonly store: string;
}

function archiveOf(name: string, { dir, events }: Pick<Corpus, 'dir' | 'events'>, ...more: readonly string[]): Archive {
  const store = join(work, name);
  for (const path of [dir, ...more]) trailhound(store, 'ingest', path);
  trailhound(store, 'hunt');
  return { name, events, alerts: trailhound(store, 'alerts', 'list', '--limit', '0'), store };
}

interface Standing {
  /** Of the alerts that tell of it, from the weightiest on. */
  readonly places: readonly number[];
  readonly alerts: number;
}

function standingOf(attack: RecordedAttack, archive: Archive): Standing {
  const store = join(work, 'attacked');
  rmSync(store, { recursive: true, force: true });
  cpSync(archive.store, store, { recursive: true });
  const log = join(work, 'attack', 'attack.json');
  writeTransplant(log, attack, PLACE);
  trailhound(store, 'scan', log);
  const alerts = trailhound(store, 'alerts', 'list', '--sort', 'rank', '--limit', '0');
  const places = alerts.flatMap(({ event_ids }, at) =>
    event_ids.some((id) => attack.eventIds.has(id)) ? [at + 1] : [],
  );
  console.error(`${attack.name} in ${archive.name}: ${places.slice(0, FIRST_PAGE).join(', ')} of ${alerts.length}`);
  const [first] = places;
  if (first === undefined) mistakes.push(`${attack.name}: no alert in the archive ${archive.name}`);
  else if (first > FIRST_PAGE) mistakes.push(`${attack.name}: first at ${first} in the archive ${archive.name}`);
  return { places, alerts: alerts.length };
}

const atLeastMedium = (alerts: readonly Alert[]): number =>
  alerts.filter(({ severity }) => SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf('medium')).length;
const number = (value: number): string => value.toLocaleString('en');
const pageOf = ({ places }: Standing): string => String(places.filter((place) => place <= FIRST_PAGE).length);

try {
  const say = (line: string): void => console.error(line);
  const mixed = await corpus(SHAPE, say);
  const quiet = await corpus({ ...SHAPE, name: 'quiet', quiet: true }, say);
  const loud = join(work, 'loud-days');
  const loudEvents = writeLoudDays(loud, FIRST_DAY_MS, SHAPE.days);
  const archives = [
    archiveOf('quiet', quiet),
    archiveOf('mixed', mixed),
    archiveOf('loud', { dir: mixed.dir, events: mixed.events + loudEvents }, loud),
  ];
  const standings = table(
    ['attack', ...archives.flatMap(({ name }) => [name, `of its alerts on the first page, ${name}`])],
    attacks.map((attack) => [
      code(attack.name),
      ...archives
        .map((archive) => standingOf(attack, archive))
        .flatMap((standing) => [`${standing.places[0] ?? 'none'} of ${standing.alerts}`, pageOf(standing)]),
    ]),
  );
  writeFileSync(
    PAGE,
    `<!-- Generated by \`node --import tsx scripts/attacks-in-noise.ts\`: change that script, not this file. -->
# Attacks in noise

Whether an attack is seen at once where much else goes on: the place of its best alert by [rank](alerts.md#rank) among all alerts of an archive of ${SHAPE.days} days. The first ${FIRST_PAGE} are the first page; the script fails where an attack is not on it.

The attacks are recordings of others, as in [known attacks](known-attacks.md), and not part of this repository: ten techniques of [Stratus Red Team](https://github.com/DataDog/stratus-red-team), and of [invictus-ir/aws_dataset](https://github.com/invictus-ir/aws_dataset) the whole campaign and each of its other techniques alone. The rank was designed while looking at the ten and the campaign; those of the campaign alone were recorded apart and looked at only afterwards. One at a time is moved by whole days into the archive's 21st day, into one of its accounts and regions, and its caller is a user of that account, who worked there all month; so what is rare or new is so by the measure of this archive. The tool's user agent, which names it, is replaced by one of an SDK. All other facts of the records stay as recorded. An alert tells of the attack when its evidence names one of these records.

${table(
  ['archive', 'events', 'what it holds', 'alerts without the attack', 'medium and above'],
  archives.map(({ name, events, alerts }, at) => [
    name,
    number(events),
    CONTENTS[at] ?? '',
    String(alerts.length),
    String(atLeastMedium(alerts)),
  ]),
)}

## Places

${standings}
`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const mistake of mistakes) console.error(mistake);
console.error(mistakes.length === 0 ? 'all are on the first page' : `${mistakes.length} are not on the first page`);
process.exitCode = mistakes.length === 0 ? 0 : 1;
