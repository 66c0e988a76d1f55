/** Writes the generated documentation; with `--check` it writes nothing and fails when a page is not what the code says. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { arrows } from './docs/arrows.ts';
import { detectorPages } from './docs/detectors.ts';
import { commandsPage, errorsPage, queriesPage, tablesPage } from './docs/reference.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ARCHITECTURE = 'docs/architecture.md';
/** A folder that holds generated pages only: what is left there of a removed detector is removed as well. */
const DETECTOR_PAGES = 'docs/reference/detectors';
const DRAWING = /(<!-- arrows -->\n).*?(<!-- \/arrows -->)/s;

async function generate(): Promise<Map<string, string>> {
  const architecture = readFileSync(join(ROOT, ARCHITECTURE), 'utf8');
  if (!DRAWING.test(architecture))
    throw new Error(`${ARCHITECTURE} has no place for the arrows: <!-- arrows --> <!-- /arrows -->`);
  const drawing = await arrows();
  return new Map([
    ['docs/reference/tables.md', tablesPage()],
    ['docs/reference/errors.md', errorsPage()],
    ['docs/reference/commands.md', await commandsPage()],
    ['docs/reference/queries.md', queriesPage()],
    ...(await detectorPages()),
    [ARCHITECTURE, architecture.replace(DRAWING, (_, begin: string, end: string) => `${begin}${drawing}\n${end}`)],
  ]);
}

const pages = await generate();
const folder = join(ROOT, DETECTOR_PAGES);
const orphans = (existsSync(folder) ? readdirSync(folder) : [])
  .map((name) => `${DETECTOR_PAGES}/${name}`)
  .filter((path) => !pages.has(path));
const stale = [...pages].filter(([path, text]) => {
  const full = join(ROOT, path);
  return !existsSync(full) || readFileSync(full, 'utf8') !== text;
});

if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is not what the code says`);
  for (const path of orphans) console.error(`${path} belongs to no detector`);
  process.exitCode = stale.length + orphans.length > 0 ? 1 : 0;
} else {
  for (const [path, text] of stale) {
    const full = join(ROOT, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }
  for (const path of orphans) rmSync(join(ROOT, path));
  console.log(`docs: ${pages.size} pages, ${stale.length} written, ${orphans.length} removed`);
}
