/** `trailhound detectors coverage`: the techniques of ATT&CK that are looked for in the logs that are there. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { techniqueIn } from '../../attack.ts';
import type { Detector } from '../../detector.ts';
import { json } from '../../printable.ts';
import { type ExitStatus, finish, type Host, type Run, wholeNumber } from '../command.ts';
import { chooseDetectors } from '../hunt.ts';
import { navigatorLayer } from '../output/navigator.ts';
import { OUTPUTS, printRows } from '../output/rows.ts';
import { formatCount, plural } from '../output/text.ts';
import type { Held } from '../wire.ts';

interface Options {
  readonly attack: number;
}

/** The newest version of ATT&CK whose tactics facts/attack.txt has for every technique. */
const VERSION = 18;
const VERSIONS = { first: 16, last: 19 };

const attackVersion = (text: string): number => {
  const version = wholeNumber(text);
  if (version < VERSIONS.first || version > VERSIONS.last)
    throw new InvalidArgumentError(`expected a version of ATT&CK from ${VERSIONS.first} to ${VERSIONS.last}`);
  return version;
};

export function coverageCommand(host: Host): Command {
  const command = new Command('coverage')
    .description('the techniques of ATT&CK that are looked for in the logs that the store holds')
    .argument('[id...]', 'detectors (default: all)')
    .addOption(
      new Option('--attack <version>', 'version of ATT&CK whose numbers are told')
        .argParser(attackVersion)
        .default(VERSION),
    );
  return finish<Options>(
    command,
    host,
    [
      'trailhound detectors coverage',
      'trailhound detectors coverage --output markdown',
      'trailhound detectors coverage --output navigator > layer.json',
    ],
    coverage,
    [...OUTPUTS, 'navigator'],
  );
}

/** A technique, and who looks for it. */
export interface CoveredTechnique {
  readonly id: string;
  readonly name: string;
  readonly tactics: readonly string[];
  /** Detectors whose logs are there. */
  readonly covered: readonly string[];
  /** Detectors whose logs are not, with what is missing. */
  readonly blind: readonly string[];
}

async function coverage(run: Run<Options>, ...ids: string[]): Promise<ExitStatus> {
  const { options, terminal, output, outputForm } = run;
  const { detectors } = await chooseDetectors({ ...run, options: {} }, ids);
  const held = await heldHere(run);
  const techniques = await techniquesOf(detectors, held, options.attack);
  if (outputForm === 'navigator') {
    await terminal.out(`${json(navigatorLayer(techniques, options.attack, held !== null), 2)}\n`);
  } else {
    const columns = ['tactic', 'technique', 'name', 'detectors', 'covered_by', 'not_covered'].map((name) => ({
      name,
      type: name === 'detectors' ? 'BIGINT' : 'VARCHAR',
    }));
    const rows = techniques
      .flatMap(({ tactics, ...technique }) => tactics.map((tactic) => ({ tactic, ...technique })))
      .toSorted((a, b) => order(a.tactic) - order(b.tactic) || (a.id < b.id ? -1 : 1))
      .map(({ tactic, id, name, covered, blind }) => [
        tactic,
        id,
        name,
        covered.length,
        covered.join(' '),
        blind.join('; '),
      ]);
    await printRows(output, columns, rows, terminal);
  }
  const able = detectors.filter((detector) => missingOf(detector, held) === null).length;
  if (held === null)
    terminal.warn(`there is no store in ${run.storeDir}: every detector counts as if its logs were there`);
  terminal.info(
    `${formatCount(techniques.filter(({ covered }) => covered.length > 0).length)} of ${plural(techniques.length, 'technique')} covered; ${formatCount(able)} of ${plural(detectors.length, 'detector')} have the logs that they need`,
  );
  return 0;
}

/** Null where there is no store. */
async function heldHere({ storeDir }: Run<Options>): Promise<Held | null> {
  const { heldIn, openStore, isStore } = await import('../wire.ts');
  if (!(await isStore(storeDir))) return null;
  const store = await openStore(storeDir);
  try {
    return await heldIn(store);
  } finally {
    await store.close();
  }
}

/** What a detector lacks; null where it lacks nothing. */
function missingOf({ table, reads = [], needsDataEvents }: Detector, held: Held | null): string | null {
  if (held === null) return null;
  const empty = [table, ...reads].find((name) => !held.tables.has(name));
  if (empty !== undefined) return `no events in ${empty}`;
  return needsDataEvents !== undefined && !held.dataEvents.has(needsDataEvents)
    ? `no data events of ${needsDataEvents}`
    : null;
}

async function techniquesOf(
  detectors: readonly Detector[],
  held: Held | null,
  version: number,
): Promise<readonly CoveredTechnique[]> {
  const { attackTechniques } = await import('../wire.ts');
  const known = await attackTechniques();
  const found = new Map<string, { covered: string[]; blind: string[]; tactics: readonly string[] }>();
  for (const detector of detectors) {
    for (const { technique, version: from } of detector.attack) {
      const id = techniqueIn(technique, from, version);
      const entry = found.get(id) ?? {
        covered: [],
        blind: [],
        // Where a number is new, the tactics of the old one are what everything else is sorted by.
        tactics: known.get(techniqueIn(technique, from, VERSION))?.tactics ?? ['unknown'],
      };
      found.set(id, entry);
      const missing = missingOf(detector, held);
      if (missing === null) entry.covered.push(detector.id);
      else entry.blind.push(`${detector.id} (${missing})`);
    }
  }
  return [...found].map(([id, { covered, blind, tactics }]) => ({
    id,
    name: known.get(id)?.name ?? '',
    tactics,
    covered,
    blind,
  }));
}

/** As the matrix has them: https://attack.mitre.org/matrices/enterprise/ */
const TACTICS = [
  'reconnaissance',
  'resource-development',
  'initial-access',
  'execution',
  'persistence',
  'privilege-escalation',
  'defense-evasion',
  'credential-access',
  'discovery',
  'lateral-movement',
  'collection',
  'command-and-control',
  'exfiltration',
  'impact',
];
const order = (tactic: string): number => (TACTICS.includes(tactic) ? TACTICS.indexOf(tactic) : TACTICS.length);
