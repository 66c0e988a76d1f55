/** The catalogue of a run: the detectors of the package and those of the user, each known by its id. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { register } from 'node:module';
import { basename, extname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Detector, type DetectorSpec, defineDetector } from '../detector.ts';
import { AppError } from '../errors.ts';
import { suggestion } from '../suggest.ts';
import { type Config, systemReason, USER_DETECTORS } from './config.ts';
import { configLists } from './lists.ts';
import { codeRoot, packageFile } from './package.ts';
import type { LoadedRules, RuleReport } from './wire.ts';

export interface CatalogueEntry {
  readonly detector: Detector;
  /** Absolute; of a Sigma rule with its line, since a file may hold several. */
  readonly file: string;
  readonly builtIn: boolean;
  /** Where something of it stands, such as `when.any[1].event_name`: with line and column where it is written as data. */
  readonly placeOf: (at: string) => string;
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

export interface LoadOptions {
  /** Told of each file of the user's that cannot be used, which is then left out; without it the first one ends the loading. */
  readonly onInvalid?: (file: string, error: AppError) => void;
  /** Reads code again that has changed since it was loaded. */
  readonly fresh?: boolean;
  /** Of Sigma rules those that Athena can run; default: where the config names that backend. */
  readonly portable?: boolean;
}

const CODE_EXTENSIONS = ['.js', '.mjs', '.ts'];
const EXTENSIONS = [...CODE_EXTENSIONS, '.sql', '.yaml', '.yml'];

/**
 * Loads all. Code runs only where a config says that this folder is one's own: evidence that somebody changes into may hold a `detectors/` too.
 * Throws `detector-invalid`, naming the file.
 */
export async function loadDetectors(config: Config, options: LoadOptions = {}): Promise<Catalogue> {
  const byId = new Map<string, CatalogueEntry>();
  for (const file of filesUnder(join(codeRoot, 'detectors')))
    add(byId, { ...(await loadDetector(file)), file, builtIn: true, isRule: false });
  const beside = resolve(config.dir, USER_DETECTORS);
  const own = [...(existsSync(beside) ? [beside] : []), ...config.detectors.map((path) => resolve(config.dir, path))];
  const found = [...new Set(own.flatMap(filesUnder))].filter((file) => !isBuiltIn(file));
  const named = own.map((path) => realpathSync(path));
  const notLoaded = found.filter((file) => config.file === null && CODE_EXTENSIONS.includes(extname(file)));
  const files = found.filter((file) => !notLoaded.includes(file));
  if (files.length > 0) resolveOwnPackage();
  for (const file of files) {
    try {
      refuseStranger(file, named);
      add(byId, { ...(await loadDetector(file, options.fresh)), file, builtIn: false, isRule: false });
    } catch (error) {
      if (!(error instanceof AppError) || options.onInvalid === undefined) throw error;
      options.onInvalid(file, error);
    }
  }
  const { rules, reports } = await rulesOf(config, options.portable ?? config.backend === 'athena');
  for (const { detector, origin } of rules)
    add(byId, { detector, file: origin, builtIn: false, isRule: true, placeOf: () => origin });
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

/** A link out of the folder that the config names would run what somebody else may write. */
function refuseStranger(file: string, named: readonly string[]): void {
  if (!CODE_EXTENSIONS.includes(extname(file))) return;
  const real = realpathSync(file);
  if (named.some((path) => real === path || real.startsWith(path + sep))) return;
  throw new AppError(
    'detector-invalid',
    `cannot use the detector ${file}: it is a link to ${real}, outside of the folders of detectors`,
    {
      hint: 'Name the folder that it lies in under `detectors:` in the config.',
    },
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

type Loaded = Pick<CatalogueEntry, 'detector' | 'placeOf'>;

async function loadDetector(file: string, fresh = false): Promise<Loaded> {
  const id = basename(file, extname(file));
  const loaded = await readDetector(file, fresh);
  if (loaded.detector.id === id) return loaded;
  throw new AppError(
    'detector-invalid',
    `${loaded.placeOf('id')}: the detector has the id '${loaded.detector.id}': expected '${id}', the name of its file`,
  );
}

async function readDetector(file: string, fresh: boolean): Promise<Loaded> {
  const invalid = (problem: string, cause?: unknown) =>
    new AppError('detector-invalid', `cannot use the detector ${file}: ${problem}`, {
      hint: '`trailhound detectors new <id>` writes one that works, to compare with.',
      ...(cause !== undefined && { cause }),
    });
  try {
    switch (extname(file)) {
      case '.sql':
      case '.yaml':
      case '.yml': {
        const { dataDetector } = await import('./detector-data.ts');
        return dataDetector(readFileSync(file, 'utf8'), file);
      }
      default: {
        if (extname(file) === '.ts' && !runsTypeScript()) throw invalid(NO_TYPESCRIPT);
        const url = pathToFileURL(file);
        // A module is loaded once for each address.
        if (fresh) url.searchParams.set('changed', String(statSync(file).mtimeMs));
        return {
          detector: fromModule((await import(url.href)) as Readonly<Record<string, unknown>>),
          placeOf: () => file,
        };
      }
    }
  } catch (cause) {
    if (cause instanceof AppError && cause.message.includes(file)) throw cause;
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

export const NO_TYPESCRIPT = `Node ${process.version} does not run TypeScript: compile it to .js, or use Node 22.18 or newer`;

/** Node says so from 22.10 on; a loader such as the one of our development does as well. */
export function runsTypeScript(): boolean {
  return Boolean(Reflect.get(process.features, 'typescript')) || import.meta.url.endsWith('.ts');
}

function fromModule(module: Readonly<Record<string, unknown>>): Detector {
  const detector = module['detector'];
  if (typeof detector !== 'object' || detector === null) throw new Error('it exports no `detector`');
  return defineDetector(detector as DetectorSpec);
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
