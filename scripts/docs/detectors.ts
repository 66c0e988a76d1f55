/** The reference page of each detector, and their index. */
import { readdirSync } from 'node:fs';
import { stringify } from 'yaml';
import { SEVERITIES } from '../../src/alert.ts';
import { type Detector, z } from '../../src/detector.ts';
import { code, fence, GENERATED, list, table } from './markdown.ts';

const FOLDER = new URL('../../detectors/', import.meta.url);

/** All detectors of the repository, in the order of their ids. */
async function allDetectors(): Promise<readonly Detector[]> {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const modules = await Promise.all(
    files.map(async (name) => (await import(new URL(name, FOLDER).href)) as { detector: Detector }),
  );
  return modules.map(({ detector }) => detector).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

const yaml = (value: unknown): string => stringify(value, { lineWidth: 120, aliasDuplicateObjects: false });

/** What makes it fire, as written in the detector; a parameter stands as `{parameter: name}`. */
function condition({ when, threshold, baseline, sequence, sql }: Detector): string {
  const parts = { when, threshold, baseline, sequence };
  const said = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
  const conditions = Object.keys(said).length === 0 ? [] : [fence('yaml', yaml(said))];
  return [...conditions, ...(sql === undefined ? [] : [fence('sql', sql.trim())])].join('\n\n');
}

function parameters(detector: Detector): string {
  const rows = Object.entries(detector.parameters ?? {}).map(([name, schema]) => [
    code(name),
    code(JSON.stringify(schema.parse(undefined))),
    schema.description ?? '',
  ]);
  if (rows.length === 0) return 'None.';
  const [first] = rows;
  return `${table(['name', 'default', 'meaning'], rows)}

Set one in \`trailhound.yaml\` under \`parameters: {${detector.id}: …}\`, or for one run by \`--param ${detector.id}.${first?.[0]?.replaceAll('`', '')}=…\`.`;
}

const records = (example: Detector['examples'][number]): number =>
  example.records.reduce((total, record) => total + (typeof record['repeat'] === 'number' ? record['repeat'] : 1), 0);

function examples(detector: Detector): string {
  return list(
    detector.examples.map((example) => {
      const alerts = example.alerts.length;
      const verdict = alerts === 0 ? 'silent' : alerts === 1 ? 'one alert' : `${alerts} alerts`;
      const total = records(example);
      return `${example.name}: ${total === 1 ? 'one record' : `${total} records`}, ${verdict}`;
    }),
  );
}

function slot({ slot: length }: Detector): string {
  return length === 'event' ? 'Each event is an alert.' : `One alert per subject and ${length}.`;
}

function page(detector: Detector): string {
  const { needsDataEvents, response = [] } = detector;
  const attack = detector.attack.map(
    ({ technique, version }) =>
      `[${technique}](https://attack.mitre.org/techniques/${technique.replace('.', '/')}/) (ATT&CK v${version})`,
  );
  return `# ${detector.title}

${GENERATED}

\`${detector.id}\`, version ${detector.version}, severity **${detector.severity}**: ${detector.severityReason}

${detector.description}

## When

${condition(detector)}

${slot(detector)} Subject: ${detector.subject.map(code).join(', ')}. It says: “${detector.summary}”

ATT&CK: ${attack.join(', ')}.${detector.tags === undefined ? '' : ` Tags: ${detector.tags.map(code).join(', ')}.`}

## Parameters

${parameters(detector)}

## False positives

${list(detector.falsePositives)}

## Blind spots

${list([
  ...(needsDataEvents === undefined
    ? []
    : [`Needs data events of ${code(needsDataEvents)}: without them silence means not covered, never clean.`]),
  ...detector.blindSpots,
])}
${response.length === 0 ? '' : `\n## What to do\n\n${list(response)}\n`}
## Examples

These are its tests, as streams of records in \`detectors/${detector.table}/${detector.id}.ts\`.

${examples(detector)}
`;
}

function index(detectors: readonly Detector[]): string {
  const rows = detectors
    .toSorted((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity))
    .map(({ id, title, severity, attack }) => [
      `[${id}](${id}.md)`,
      severity,
      title,
      attack.map(({ technique }) => technique).join(', '),
    ]);
  return `# Detectors

${GENERATED}

${detectors.length} detectors, the most severe first.

${table(['id', 'severity', 'what was seen', 'ATT&CK'], rows)}
`;
}

/** The zod module must be one and the same for schemas and docs; a detector that brought its own would print no defaults. */
export async function detectorPages(): Promise<ReadonlyMap<string, string>> {
  const detectors = await allDetectors();
  for (const { id, parameters: schemas = {} } of detectors) {
    for (const [name, schema] of Object.entries(schemas)) {
      if (!(schema instanceof z.ZodType)) throw new Error(`${id}: the parameter ${name} is no zod schema`);
    }
  }
  return new Map([
    ['docs/reference/detectors/README.md', index(detectors)],
    ...detectors.map((detector) => [`docs/reference/detectors/${detector.id}.md`, page(detector)] as const),
  ]);
}
