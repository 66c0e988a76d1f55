/** The catalogue of a run: the detectors of the package and those of the user, each known by its id. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { register } from 'node:module';
import { basename, extname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Detector, type DetectorSpec, defineDetector, z } from '../detector.ts';
import { AppError } from '../errors.ts';
import { suggestion } from '../suggest.ts';
import { configLists } from './backend.ts';
import { type Config, systemReason, USER_DETECTORS } from './config.ts';
import { codeRoot, packageFile } from './package.ts';
import type { LoadedRules, RuleReport } from './wire.ts';

export interface CatalogueEntry {
  readonly detector: Detector;
  /** Absolute; of a Sigma rule with its line, since a file may hold several. */
  readonly file: string;
  readonly builtIn: boolean;
  /** A Sigma rule: it has no examples of its own. */
  readonly isRule: boolean;
}

export interface Catalogue {
  /** In the order of their ids. */
  readonly entries: readonly CatalogueEntry[];
  /** Files of code that lie in ./detectors without a config beside them. */
  readonly notLoaded: readonly string[];
  /** What became of each document in the files of Sigma rules. */
  readonly rules: readonly RuleReport[];
  /** Throws `detector-unknown`. */
  get(id: string): CatalogueEntry;
}

const CODE_EXTENSIONS = ['.js', '.mjs', '.ts'];
const EXTENSIONS = [...CODE_EXTENSIONS, '.sql', '.yaml', '.yml'];

/**
 * Loads all. Code runs only where a config says that this folder is one's own: evidence that somebody changes into may hold a `detectors/` too.
 * `portable`: of Sigma rules those that Athena can run. Throws `detector-invalid`, naming the file.
 */
export async function loadDetectors(config: Config, portable = config.backend === 'athena'): Promise<Catalogue> {
  const byId = new Map<string, CatalogueEntry>();
  for (const file of filesUnder(join(codeRoot, 'detectors')))
    add(byId, { detector: await loadDetector(file), file, builtIn: true, isRule: false });
  const beside = resolve(config.dir, USER_DETECTORS);
  const own = [...(existsSync(beside) ? [beside] : []), ...config.detectors.map((path) => resolve(config.dir, path))];
  const found = [...new Set(own.flatMap(filesUnder))].filter((file) => !isBuiltIn(file));
  const notLoaded = found.filter((file) => config.file === null && CODE_EXTENSIONS.includes(extname(file)));
  const files = found.filter((file) => !notLoaded.includes(file));
  if (files.length > 0) resolveOwnPackage();
  for (const file of files) add(byId, { detector: await loadDetector(file), file, builtIn: false, isRule: false });
  const { rules, reports } = await rulesOf(config, portable);
  for (const { detector, origin } of rules) add(byId, { detector, file: origin, builtIn: false, isRule: true });
  const entries = [...byId.values()].toSorted((a, b) => (a.detector.id < b.detector.id ? -1 : 1));
  return {
    entries,
    notLoaded,
    rules: reports,
    get(id) {
      const entry = byId.get(id);
      if (entry !== undefined) return entry;
      throw new AppError('detector-unknown', `no detector has the id '${id}'.${suggestion(id, [...byId.keys()])}`, {
        hint: '`trailhound detectors list` shows them all.',
      });
    },
  };
}

/** Read once in a run, which asks for its detectors more than once. */
const read = new WeakMap<Config, Map<boolean, Promise<LoadedRules>>>();

function rulesOf(config: Config, portable: boolean): Promise<LoadedRules> {
  if (config.rules.length === 0) return Promise.resolve({ rules: [], reports: [] });
  const known = read.get(config) ?? new Map<boolean, Promise<LoadedRules>>();
  read.set(config, known);
  const loaded = known.get(portable) ?? loadRules(config, portable);
  known.set(portable, loaded);
  return loaded;
}

async function loadRules(config: Config, portable: boolean): Promise<LoadedRules> {
  const { loadSigmaRules } = await import('./wire.ts');
  return loadSigmaRules(
    config.rules.map((path) => resolve(config.dir, path)),
    { placeholders: config.placeholders, lists: configLists(config), portable },
  );
}

function add(byId: Map<string, CatalogueEntry>, entry: CatalogueEntry): void {
  const other = byId.get(entry.detector.id);
  if (other !== undefined) {
    throw new AppError(
      'detector-invalid',
      `two detectors have the id '${entry.detector.id}': ${other.file} and ${entry.file}`,
      {
        hint: 'Rename one of them: the id is the name of the file.',
      },
    );
  }
  byId.set(entry.detector.id, entry);
}

/** In a checkout, detectors/ holds the sources of what runs from dist/detectors: they are no one's own. */
function isBuiltIn(file: string): boolean {
  return file.startsWith(packageFile('detectors') + sep) || file.startsWith(join(codeRoot, 'detectors') + sep);
}

function filesUnder(path: string): string[] {
  try {
    if (statSync(path).isFile()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => EXTENSIONS.includes(extname(name)) && !name.endsWith('.d.ts') && !name.includes('node_modules'))
      .map((name) => join(path, name))
      .toSorted();
  } catch (cause) {
    throw new AppError('config-invalid', `cannot read the detectors in ${path}: ${systemReason(cause)}`, { cause });
  }
}

async function loadDetector(file: string): Promise<Detector> {
  const id = basename(file, extname(file));
  const detector = await readDetector(file);
  if (detector.id === id) return detector;
  throw new AppError(
    'detector-invalid',
    `the detector in ${file} has the id '${detector.id}': expected '${id}', the name of its file`,
  );
}

async function readDetector(file: string): Promise<Detector> {
  const invalid = (problem: string, cause?: unknown) =>
    new AppError('detector-invalid', `cannot use the detector ${file}: ${problem}`, {
      hint: '`trailhound detectors new <id>` writes one that works, to compare with.',
      ...(cause !== undefined && { cause }),
    });
  try {
    switch (extname(file)) {
      case '.sql':
        return fromData(await sqlDetector(readFileSync(file, 'utf8')));
      case '.yaml':
      case '.yml':
        return fromData(await parseYaml(readFileSync(file, 'utf8')));
      default:
        if (extname(file) === '.ts' && !runsTypeScript()) {
          throw invalid(
            `Node ${process.version} does not run TypeScript: compile it to .js, or use Node 22.18 or newer`,
          );
        }
        return fromModule((await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>);
    }
  } catch (cause) {
    if (cause instanceof AppError && cause.message.includes(file)) throw cause;
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Node says so from 22.10 on; a loader such as the one of our development does as well. */
function runsTypeScript(): boolean {
  return Boolean(Reflect.get(process.features, 'typescript')) || import.meta.url.endsWith('.ts');
}

function fromModule(module: Readonly<Record<string, unknown>>): Detector {
  const detector = module['detector'];
  if (typeof detector !== 'object' || detector === null) throw new Error('it exports no `detector`');
  return defineDetector(detector as DetectorSpec);
}

async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  return parse(text);
}

/** The comment at the top is the metadata in YAML, the rest is the statement. */
async function sqlDetector(text: string): Promise<unknown> {
  const lines = text.split(/\r?\n/u);
  const end = lines.findIndex((line) => !line.startsWith('--'));
  if (end < 1) throw new Error('expected a comment with its metadata at the top, and a statement after it');
  const data = await parseYaml(
    lines
      .slice(0, end)
      .map((line) => line.replace(/^-- ?/u, ''))
      .join('\n'),
  );
  if (typeof data !== 'object' || data === null) throw new Error('expected names and values in the comment at the top');
  return { ...data, sql: lines.slice(end).join('\n').trim() };
}

const dataParameter = z.strictObject({
  default: z.union([z.number(), z.string(), z.boolean(), z.array(z.string())]),
  doc: z.string(),
});

/** A detector written as data: its parameters are `{ default, doc }` and take values of the default's type. */
function fromData(data: unknown): Detector {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new Error('expected names and values');
  const { parameters = {}, ...spec } = data as DetectorSpec & { parameters?: Record<string, unknown> };
  const schemas = Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => {
      const parsed = dataParameter.safeParse(parameter);
      if (!parsed.success) throw new Error(`the parameter '${name}': expected { default, doc }`);
      return [name, schemaLike(parsed.data.default).default(parsed.data.default).describe(parsed.data.doc)];
    }),
  );
  return defineDetector({ ...spec, ...(Object.keys(schemas).length > 0 && { parameters: schemas }) });
}

function schemaLike(value: number | string | boolean | string[]): z.ZodType {
  if (typeof value === 'number') return z.number();
  if (typeof value === 'boolean') return z.boolean();
  return typeof value === 'string' ? z.string() : z.array(z.string());
}

/** A user's file imports `trailhound/detector` wherever it lies, also when trailhound is installed globally. */
function resolveOwnPackage(): void {
  const target = pathToFileURL(
    join(codeRoot, 'src', import.meta.url.endsWith('.ts') ? 'detector.ts' : 'detector.js'),
  ).href;
  const hook = `export const resolve = (specifier, context, next) => specifier === 'trailhound/detector'
    ? { url: ${JSON.stringify(target)}, shortCircuit: true } : next(specifier, context);`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
