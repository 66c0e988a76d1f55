/** `trailhound detectors`: what is looked for, with its parameters and its proofs; and the start of a new one. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { SEVERITIES, type Severity } from '../../alert.ts';
import type { Detector } from '../../detector.ts';
import { AppError } from '../../errors.ts';
import { json, printable, valueText } from '../../printable.ts';
import { collect, detectorParameters, type ExitStatus, finish, group, type Host, type Run } from '../command.ts';
import { CONFIG_FILE, type Config, systemReason, USER_DETECTORS } from '../config.ts';
import type { Catalogue, CatalogueEntry } from '../detectors.ts';
import { printRows } from '../output/rows.ts';
import { plural } from '../output/text.ts';
import { packageFile } from '../package.ts';
import { addRulesOption, type RulesOptions, rulesStatus, tellRules, withRules } from '../rules.ts';
import { TEMPLATES, type TemplateKind } from './detector-templates.ts';
import { detectorRulesCommand } from './detectors-rules.ts';

interface ListOptions extends RulesOptions {
  readonly strict?: boolean;
  readonly tag?: readonly string[];
  readonly minSeverity?: Severity;
}

interface NewOptions {
  readonly kind?: TemplateKind;
  readonly dir?: string;
}

export function detectorsCommand(host: Host): Command {
  const list = addRulesOption(new Command('list'))
    .description('all detectors, those of the package and your own')
    .option('--strict', 'end with status 3 when a Sigma rule cannot be used')
    .option('--tag <tag>', 'only with this tag, repeatable', collect)
    .addOption(new Option('--min-severity <severity>', 'only of this severity or above').choices(SEVERITIES));
  const show = addRulesOption(new Command('show'))
    .description('all that one detector is: why, when, parameters, false positives, blind spots')
    .argument('<id>');
  const test = new Command('test')
    .description('run the examples of detectors through the decoder and the engine')
    .argument('[id...]', 'default: all');
  const create = new Command('new')
    .description('write the file of a new detector, with an example that fails until it is filled in')
    .argument('<id>', 'kebab-case noun phrase of what is seen, such as denied-call-spike')
    .addOption(new Option('--kind <kind>', 'language of the file (default: yaml)').choices(Object.keys(TEMPLATES)))
    .option('--dir <dir>', `folder to write it to (default: ${USER_DETECTORS}/ beside the config)`);
  return group(
    new Command('detectors')
      .description('list, explain, test and write detectors')
      .addCommand(
        finish<ListOptions>(
          list,
          host,
          [
            'trailhound detectors list',
            'trailhound detectors list --min-severity high --output csv',
            'trailhound detectors list --rules ./sigma/rules/cloud/aws --tag sigma',
          ],
          printList,
        ),
      )
      .addCommand(
        finish<RulesOptions>(
          show,
          host,
          ['trailhound detectors show denied-call-spike', 'trailhound detectors show denied-call-spike --output json'],
          printOne,
        ),
      )
      .addCommand(
        finish(
          test,
          host,
          ['trailhound detectors test', 'trailhound detectors test denied-call-spike my-own-detector'],
          runExamples,
        ),
      )
      .addCommand(
        finish<NewOptions>(
          create,
          host,
          [
            'trailhound detectors new unusual-key-import',
            'trailhound detectors new unusual-key-import --kind yaml --dir ./detectors',
          ],
          createFile,
        ),
      )
      .addCommand(detectorRulesCommand(host)),
    ['trailhound detectors list', 'trailhound detectors show trail-logging-stopped', 'trailhound detectors test'],
  );
}

/** Loaded when it is asked for: other commands do not pay for it. */
async function catalogueOf(config: Config): Promise<Catalogue> {
  const { loadDetectors } = await import('../detectors.ts');
  return loadDetectors(config);
}

async function printList(run: Run<ListOptions>): Promise<ExitStatus> {
  const { config, options, output, terminal } = withRules(run);
  const { entries, notLoaded, rules } = await catalogueOf(config);
  tellRules(rules, terminal);
  const least = SEVERITIES.indexOf(options.minSeverity ?? 'informational');
  const chosen = entries.filter(
    ({ detector }) =>
      SEVERITIES.indexOf(detector.severity) >= least &&
      (options.tag === undefined || options.tag.some((tag) => detector.tags?.includes(tag))),
  );
  // Tags are for programs: on a screen they would cost the titles their room.
  const withTags = output !== 'table';
  const columns = ['id', 'severity', 'title', 'attack', ...(withTags ? ['tags'] : []), 'origin'].map((name) => ({
    name,
    type: 'VARCHAR',
  }));
  const rows = chosen.map(({ detector, file, builtIn }) => [
    detector.id,
    detector.severity,
    detector.title,
    detector.attack.map(({ technique }) => technique).join(' '),
    ...(withTags ? [(detector.tags ?? []).join(' ')] : []),
    builtIn ? 'built in' : relative(process.cwd(), file),
  ]);
  await printRows(output, columns, rows, terminal);
  terminal.info(plural(rows.length, 'detector'));
  if (notLoaded.length > 0) {
    terminal.warn(`${plural(notLoaded.length, 'file')} of code in ./${USER_DETECTORS} not loaded: ${NEEDS_CONFIG}`);
  }
  return rulesStatus(rules, options.strict === true);
}

interface ParameterFact {
  readonly name: string;
  readonly doc: string;
  readonly default: unknown;
  readonly value: unknown;
}

async function parameterFacts(
  { detector }: CatalogueEntry,
  run: Pick<Run<unknown>, 'params' | 'config'>,
): Promise<ParameterFact[]> {
  const given = await detectorParameters(run);
  const { parameterValues } = await import('../../detector.ts');
  const values = parameterValues(detector, given[detector.id] ?? {});
  return Object.entries(detector.parameters ?? {}).map(([name, schema]) => ({
    name,
    doc: schema.description ?? '',
    default: schema.parse(undefined),
    value: values[name],
  }));
}

async function printOne(given: Run<RulesOptions>, id = ''): Promise<0> {
  const run = withRules(given);
  const entry = (await catalogueOf(run.config)).get(id);
  const { detector } = entry;
  const parameters = await parameterFacts(entry, run);
  if (run.output === 'table') {
    await run.terminal.out(detectorText(entry, parameters, run));
    return 0;
  }
  if (run.output !== 'json' && run.output !== 'jsonl') {
    throw new AppError('usage-invalid', `cannot print one detector as ${run.output}: expected table, json or jsonl`);
  }
  const { z } = await import('../../detector.ts');
  const { parameters: schemas, examples, ...facts } = detector;
  const whole = {
    ...facts,
    parameters,
    parameter_schemas: Object.fromEntries(
      Object.entries(schemas ?? {}).map(([name, schema]) => [
        name,
        z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
      ]),
    ),
    examples: examples.map(({ name }) => name),
    file: entry.file,
  };
  await run.terminal.out(`${json(whole, run.output === 'json' ? 2 : undefined)}\n`);
  return 0;
}

function detectorText(
  { detector, file, builtIn }: CatalogueEntry,
  parameters: readonly ParameterFact[],
  { terminal }: Run<object>,
): string {
  const { colors } = terminal;
  const list = (title: string, items: readonly string[]) =>
    items.length === 0 ? '' : `\n${colors.bold(title)}\n${items.map((item) => `  - ${printable(item)}\n`).join('')}`;
  const text = (value: unknown) => printable(typeof value === 'string' ? value : json(value));
  return [
    `${colors.bold(detector.title)}\n${printable(detector.description)}\n\n`,
    `${colors.dim('Id        ')} ${detector.id} (version ${detector.version})\n`,
    `${colors.dim('Severity  ')} ${detector.severity}: ${printable(detector.severityReason)}\n`,
    `${colors.dim('ATT&CK    ')} ${detector.attack.map(({ technique, version }) => `${technique} (v${version})`).join(', ') || 'none'}\n`,
    `${colors.dim('Table     ')} ${[detector.table, ...(detector.reads ?? [])].join(', ')}\n`,
    `${colors.dim('Per       ')} ${detector.subject.join(', ')}; ${detector.slot === 'event' ? 'each event' : `slots of ${detector.slot}`}\n`,
    `${colors.dim('Says      ')} ${printable(detector.summary)}\n`,
    ...(detector.needsDataEvents === undefined
      ? []
      : [`${colors.dim('Needs     ')} data events of ${printable(detector.needsDataEvents)}\n`]),
    `${colors.dim('From      ')} ${builtIn ? 'the package' : printable(file)}\n`,
    list(
      'Parameters',
      parameters.map(
        ({ name, doc, default: standard, value }) =>
          `${name} = ${text(value)}${json(value) === json(standard) ? '' : ` (default ${text(standard)})`}: ${doc}`,
      ),
    ),
    conditionText(detector, colors.bold),
    list('False positives', detector.falsePositives),
    list('Blind spots', detector.blindSpots),
    list('What to do', detector.response ?? []),
    list(
      'Examples',
      detector.examples.map(({ name, alerts }) => `${name}: ${plural(alerts.length, 'alert')}`),
    ),
  ].join('');
}

function conditionText({ when, threshold, baseline, sequence, sql }: Detector, bold: (text: string) => string): string {
  if (sql !== undefined) return `\n${bold('SQL')}\n${sql.replaceAll(/^/gmu, '  ')}\n`;
  const parts = Object.entries({ when, threshold, baseline, sequence }).filter(([, value]) => value !== undefined);
  return `\n${bold('Condition')}\n${parts.map(([name, value]) => `  ${name}: ${json(value)}\n`).join('')}`;
}

async function runExamples(run: Run<object>, ...ids: string[]): Promise<0> {
  const catalogue = await catalogueOf(run.config);
  const chosen =
    ids.length === 0 ? catalogue.entries.filter(({ isRule }) => !isRule) : ids.map((id) => catalogue.get(id));
  const { testExamples } = await import('../wire.ts');
  const columns = ['detector', 'example', 'result', 'detail'].map((name) => ({ name, type: 'VARCHAR' }));
  const rows: string[][] = [];
  for (const { detector } of chosen) {
    if (run.signal.aborted) throw new AppError('interrupted', 'interrupted while the examples ran');
    run.terminal.progress(detector.id);
    for (const { example, problems } of (await testExamples(detector)).examples) {
      rows.push([detector.id, example, problems.length === 0 ? 'passed' : 'FAILED', problems.join('; ')]);
    }
    if (detector.examples.length === 0) rows.push([detector.id, '', 'FAILED', 'it has no example']);
  }
  await printRows(run.output, columns, rows, run.terminal);
  const failed = rows.filter(([, , result]) => result !== 'passed').length;
  if (failed > 0) {
    throw new AppError('detector-invalid', `${plural(failed, 'example')} of ${plural(rows.length, 'example')} failed`, {
      hint: 'An example tells the alerts that its records must raise; the detail says what came instead.',
    });
  }
  run.terminal.info(`${plural(rows.length, 'example')} passed`);
  return 0;
}

const NEEDS_CONFIG = `detectors that are code are loaded only beside a ${CONFIG_FILE}, which may be empty`;
/** There only in a checkout of trailhound itself, whose own detectors import it by its path. */
const CONTRACT = packageFile('src/detector.ts');

const KEBAB_CASE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/u;
/** An id says what was seen, not that somebody looks for it. */
const EMPTY_PREFIX = /^(suspicious|detect|detects|detection|possible|potential)-/u;

async function createFile({ config, options, terminal }: Run<NewOptions>, id = ''): Promise<0> {
  if (!KEBAB_CASE.test(id) || EMPTY_PREFIX.test(id)) {
    throw new AppError(
      'usage-invalid',
      `cannot name a detector '${id}': expected a kebab-case noun phrase of what is seen, such as denied-call-spike`,
    );
  }
  const { entries } = await catalogueOf(config);
  const taken = entries.find(({ detector }) => detector.id === id);
  if (taken !== undefined) {
    throw new AppError('usage-invalid', `the id '${id}' is taken by ${taken.file}`, { hint: 'Choose another name.' });
  }
  const inCheckout = existsSync(CONTRACT) && config.dir === dirname(dirname(CONTRACT));
  const kind = options.kind ?? (inCheckout ? 'ts' : 'yaml');
  const dir = resolve(options.dir ?? join(config.dir, inCheckout ? 'detectors/cloudtrail' : USER_DETECTORS));
  const file = join(dir, `${id}.${kind}`);
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(file, TEMPLATES[kind](id, inCheckout ? relative(dir, CONTRACT) : 'trailhound/detector'), {
      flag: 'wx',
    });
  } catch (cause) {
    throw new AppError('usage-invalid', `cannot write ${file}: ${systemReason(cause)}`, { cause });
  }
  await terminal.out(`${valueText(file)}\n`);
  terminal.info(`Fill it in, then run: ${inCheckout ? 'npm run build && npx ' : ''}trailhound detectors test ${id}`);
  if (config.file === null && !inCheckout && (kind === 'js' || kind === 'ts')) terminal.warn(NEEDS_CONFIG);
  return 0;
}
