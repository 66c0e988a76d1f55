/**
 * Whether the examples of the detectors are worth something: each detector gets one small mistake after the other, and some example has to turn red.
 * `npm run check:mutants [id…]` prints the mistakes that nobody notices, writes the scores to docs/reference/mutants.md, and fails below 95 % over all.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { testExamples } from '../src/cli/wire.ts';
import { variantsOf } from '../src/detection/mutate.ts';
import type { Detector } from '../src/detector.ts';
import { GENERATED, table } from './docs/markdown.ts';

const FOLDER = new URL('../detectors/', import.meta.url);
const PAGE = fileURLToPath(new URL('../docs/reference/mutants.md', import.meta.url));
const LEAST = 0.95;

interface Score {
  readonly noticed: number;
  readonly all: number;
}
const share = ({ noticed, all }: Score): number => (all === 0 ? 1 : noticed / all);
const percent = (score: Score): string => `${(100 * share(score)).toFixed(1)}%`;
const sum = (scores: readonly Score[]): Score => ({
  noticed: scores.reduce((total, { noticed }) => total + noticed, 0),
  all: scores.reduce((total, { all }) => total + all, 0),
});

async function detectors(): Promise<readonly Detector[]> {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const modules = await Promise.all(
    files.map(async (name) => (await import(new URL(name, FOLDER).href)) as { readonly detector: Detector }),
  );
  return modules.map(({ detector }) => detector).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The scores that the page tells: of detectors that are not run now. */
function known(): Map<string, Score> {
  const text = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  return new Map(
    [...text.matchAll(/^\| \[([a-z0-9-]+)\]\S* *\| *(\d+) *\| *(\d+) *\|/gmu)].map(([, id = '', noticed, all]) => [
      id,
      { noticed: Number(noticed), all: Number(all) },
    ]),
  );
}

const ids = process.argv.slice(2);
const all = await detectors();
const chosen = ids.length === 0 ? all : all.filter(({ id }) => ids.includes(id));
const unknown = ids.find((id) => !all.some((detector) => detector.id === id));
if (unknown !== undefined) {
  console.error(`no detector has the id '${unknown}'`);
  process.exit(2);
}
const fresh = new Map<string, Score>();
for (const detector of chosen) {
  const { examples, mutants } = await testExamples(detector, variantsOf(detector));
  const failed = examples.filter(({ problems }) => problems.length > 0);
  if (failed.length > 0) {
    console.error(
      `${detector.id}: an example fails as it is: ${failed[0]?.example}: ${failed[0]?.problems.join('; ')}`,
    );
    process.exitCode = 1;
  }
  const living = mutants.filter(({ noticed }) => noticed !== null);
  const score = { noticed: living.filter(({ noticed }) => noticed === true).length, all: living.length };
  fresh.set(detector.id, score);
  console.log(`${percent(score).padStart(6)} ${detector.id} (${score.noticed} of ${score.all})`);
  for (const { what, noticed } of living) if (noticed === false) console.log(`       ${what}`);
}

const scores = new Map([...known(), ...fresh].filter(([id]) => all.some((detector) => detector.id === id)));
const total = sum([...scores.values()]);
const rows = [...scores]
  .toSorted(([a, x], [b, y]) => share(x) - share(y) || (a < b ? -1 : 1))
  .map(([id, score]) => [`[${id}](detectors/${id}.md)`, String(score.noticed), String(score.all), percent(score)]);
writeFileSync(
  PAGE,
  `# Mutation scores

${GENERATED.replace('npm run docs', 'npm run check:mutants')}

Each detector gets one small mistake after the other: a predicate, a value of a list or a step left out, a comparison negated or weakened, a threshold or parameter one more and one less, a span halved. A mistake is noticed when some example of the detector turns red. ${total.noticed} of ${total.all} are noticed (${percent(total)}); \`npm run check:mutants\` fails below ${100 * LEAST}%.

${table(['detector', 'noticed', 'mistakes', 'score'], rows)}
`,
);
console.log(`${total.noticed} of ${total.all} mistakes noticed (${percent(total)}), ${scores.size} detectors`);
if (share(total) < LEAST) process.exitCode = 1;
