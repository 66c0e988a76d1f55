/** Walks folders for log files, newest day first, holding a bounded number of names whatever lies there. */
import { existsSync, opendirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import { type FolderHint, folderInScope, fsPath, inScope, keyOf, parseFileName, parseFolder, pathOf } from '../keys.ts';
import { unreadable } from '../payload.ts';
import type { KeyHint, ListingProblem, Scope } from '../source.ts';
import type { Glob, Reached } from './glob.ts';
import { Heap } from './heap.ts';

export interface FoundFile {
  /** Absolute and real, as pathOf() writes it. */
  readonly path: string;
  readonly hint: KeyHint;
  readonly stats: Stats;
}

export interface WalkLimits {
  /** Names that are kept for later, in all. Of a folder with more, only the days are kept, and it is read again for each group of them. */
  readonly keptNames: number;
  /** Names that are sorted at once where one day has more. */
  readonly sortedNames: number;
}

/** About 50 MB, and 10 MB. */
const WALK_LIMITS: WalkLimits = { keptNames: 250_000, sortedNames: 50_000 };

/** Files between two looks at everything else that the process has to do. */
const FILES_PER_TURN = 256;
/** What operating systems leave in folders. */
const DROPPINGS: ReadonlySet<string> = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini', '__MACOSX']);

/** A folder still to be read. */
interface Folder {
  readonly type: 'folder';
  readonly newest: string;
  readonly path: string;
  readonly hint: FolderHint;
  /** Where the walk is in the glob; null where everything below is wanted. */
  readonly reached: Reached | null;
  /** Reached through a symbolic link. */
  readonly linked: boolean;
}

interface Name {
  readonly name: string;
  /** Empty when nothing tells it. */
  readonly day: string;
}

/** Nothing in it that could be anything else than text. */
const ASCII = /^[ -~]*$/;

/** Files of one folder, oldest first; the next one is the last. */
interface Names {
  readonly type: 'names';
  readonly newest: string;
  readonly path: string;
  readonly folder: Folder;
  readonly names: Name[];
}

/** Files of one folder whose names were not kept, of the days `oldest` to `newest`. */
interface Days {
  readonly type: 'days';
  readonly newest: string;
  readonly oldest: string;
  readonly path: string;
  readonly folder: Folder;
}

/** A file reached through a link of its own. */
interface Link {
  readonly type: 'link';
  readonly newest: string;
  readonly path: string;
  readonly hint: KeyHint;
}

/** Some at a time: one by one through all of these generators they would cost more than looking at them. */
type Found = AsyncGenerator<readonly (FoundFile | ListingProblem)[], void, undefined>;

interface Entry {
  readonly type: 'file' | 'folder' | 'link' | 'other';
  readonly name: string;
}

type Item = Folder | Names | Days | Link;

/** Sorts before all days: a folder that may hold any day must be looked into first. */
const ANY_DAY = '9999-99-99';

/**
 * One listing of one folder. Folders wait in a heap under the newest day that they may hold, so that of years of logs only the newest branches are open
 * and the first file is found at once. Only a link can lead to a folder twice: what links lead to is remembered, other folders are not.
 */
export class Walk {
  private readonly root: string;
  private readonly glob: Glob | null;
  private readonly scope: Scope;
  private readonly signal: AbortSignal;
  private readonly limits: WalkLimits;
  /** Where the part of a path begins that is below the root. */
  private readonly below: number;
  private readonly waiting = new Heap<Item>((a, b) => (a.newest === b.newest ? a.path < b.path : a.newest > b.newest));
  private readonly linkedFolders = new Set<string>();
  private readonly linkedFiles = new Set<string>();
  private kept = 0;
  private looks = 0;

  /** `root` is a real path. */
  constructor(root: string, glob: Glob | null, scope: Scope, signal: AbortSignal, limits: WalkLimits = WALK_LIMITS) {
    this.root = root;
    this.glob = glob;
    this.scope = scope;
    this.signal = signal;
    this.limits = limits;
    this.below = child(root, '').length;
  }

  async *files(): Found {
    this.addFolder(this.root, this.glob?.start() ?? null, false);
    for (let item = this.waiting.pop(); item !== undefined; item = this.waiting.pop()) {
      if (item.type === 'folder') yield* this.readFolder(item);
      else if (item.type === 'names') yield* this.readNames(item);
      else if (item.type === 'days') yield* this.readDays(item);
      else yield* this.look([item]);
    }
  }

  /** Throws `interrupted`. Whoever takes some files asks before each. */
  throwIfStopped(): void {
    if (this.signal.aborted) throw new AppError('interrupted', `stopped listing ${keyOf(this.root)}`);
  }

  private addFolder(path: string, reached: Reached | null, linked: boolean): void {
    const hint = this.folderHint(path);
    if (!folderInScope(hint, this.scope)) return;
    const isWhole = reached === null || this.glob?.isMatch(reached) === true;
    this.waiting.push({
      type: 'folder',
      newest: hint.last ?? ANY_DAY,
      path,
      hint,
      reached: isWhole ? null : reached,
      linked,
    });
  }

  /** The folders above the root, and those to which links lead, tell only what AWS's layout says. */
  private folderHint(path: string): FolderHint {
    return parseFolder(path, isWithin(path, this.root) ? this.below : path.length);
  }

  private async *readFolder(folder: Folder): Found {
    if (folder.linked && !this.enter(folder)) return;
    // A store of trailhound holds our Parquet files, no log files.
    if (['catalog.duckdb', 'VERSION'].every((name) => existsSync(fsPath(child(folder.path, name))))) return;
    yield* folder.hint.exact && folder.hint.first === folder.hint.last && folder.hint.first !== null
      ? this.readDay(folder)
      : this.readAnyDays(folder);
  }

  /** A folder whose files are of one day: they are handed on at once. */
  private async *readDay(folder: Folder): Found {
    const names: Name[] = [];
    for (const entry of this.contents(folder)) {
      if ('error' in entry) yield [entry];
      else if (names.push(entry) === this.limits.sortedNames) yield* this.emit(folder, names.splice(0));
    }
    yield* this.emit(folder, names);
  }

  /** A folder whose files may be of any day: they wait for the turn of their days. */
  private async *readAnyDays(folder: Folder): Found {
    const days = new Map<string, number>();
    let names: Name[] | null = [];
    for (const entry of this.contents(folder)) {
      if ('error' in entry) yield [entry];
      else {
        days.set(entry.day, (days.get(entry.day) ?? 0) + 1);
        if (names !== null && this.kept + names.push(entry) > this.limits.keptNames) names = null;
      }
    }
    if (names === null) return this.addDays(folder, days);
    this.kept += names.length;
    this.addNames(folder, names.sort(byAge).reverse());
  }

  private addNames(folder: Folder, names: Name[]): void {
    const next = names.at(-1);
    if (next !== undefined) this.waiting.push({ type: 'names', newest: next.day, path: folder.path, folder, names });
  }

  private async *readNames(item: Names): Found {
    let first = item.names.length;
    while (item.names[first - 1]?.day === item.newest) first--;
    const names = item.names.splice(first);
    this.kept -= names.length;
    this.addNames(item.folder, item.names);
    yield* this.emit(item.folder, names);
  }

  /** Groups days so that the names of a group can be sorted at once. */
  private addDays(folder: Folder, days: ReadonlyMap<string, number>): void {
    const newestFirst = [...days.keys()].sort().reverse();
    for (let start = 0, end = 0; start < newestFirst.length; start = end) {
      let count = 0;
      do count += days.get(newestFirst[end++] ?? '') ?? 0;
      while (end < newestFirst.length && count + (days.get(newestFirst[end] ?? '') ?? 0) <= this.limits.sortedNames);
      const [newest = '', oldest = ''] = [newestFirst[start], newestFirst[end - 1]];
      this.waiting.push({ type: 'days', newest, oldest, path: folder.path, folder });
    }
  }

  private async *readDays(item: Days): Found {
    const names: Name[] = [];
    for (const entry of this.entries(item.folder)) {
      // What could not be read was told when the days were counted.
      if ('error' in entry || entry.type !== 'file') continue;
      const name = this.wanted(item.folder, entry.name);
      if (name === null || name.day > item.newest || name.day < item.oldest) continue;
      if (names.push(name) === this.limits.sortedNames) yield* this.emit(item.folder, names.splice(0));
    }
    yield* this.emit(item.folder, names);
  }

  private async *emit(folder: Folder, names: Name[]): Found {
    const files = names
      .sort(byAge)
      .map(({ name }) => ({ path: child(folder.path, name), hint: parseFileName(name, folder.hint) }));
    yield* this.look(folder.linked ? files.filter(({ path }) => this.isNew(path, folder.reached !== null)) : files);
  }

  /** Size and time of files whose names are known. */
  private async *look(files: readonly Omit<FoundFile, 'stats'>[]): Found {
    let looked: (FoundFile | ListingProblem)[] = [];
    for (const { path, hint } of files) {
      if (this.looks++ % FILES_PER_TURN === 0) {
        if (looked.length > 0) yield looked;
        looked = [];
        await setImmediate();
        this.throwIfStopped();
      }
      try {
        looked.push({ path, hint, stats: statSync(fsPath(path)) });
      } catch (error) {
        looked.push(problem(path, error));
      }
    }
    if (looked.length > 0) yield looked;
  }

  /** The wanted files of a folder; folders and links in it are taken note of. */
  private *contents(folder: Folder): Generator<Name | ListingProblem, void, undefined> {
    for (const entry of this.entries(folder)) {
      if ('error' in entry) yield entry;
      else if (entry.type === 'folder') {
        const reached = this.step(folder, entry.name);
        if (reached?.length !== 0) this.addFolder(child(folder.path, entry.name), reached, folder.linked);
      } else if (entry.type === 'link') yield* this.follow(folder, entry.name);
      else if (entry.type === 'file') {
        const name = this.wanted(folder, entry.name);
        if (name !== null) yield name;
      } else if (this.isMatch(this.step(folder, entry.name))) yield special(child(folder.path, entry.name));
    }
  }

  private *entries(folder: Folder): Generator<Entry | ListingProblem, void, undefined> {
    try {
      // Latin-1 gives each byte of a name as one character, so that nothing of it is lost.
      const dir = opendirSync(fsPath(folder.path), { encoding: 'latin1', bufferSize: FILES_PER_TURN });
      try {
        for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
          const name = ASCII.test(entry.name) ? entry.name : pathOf(Buffer.from(entry.name, 'latin1'));
          if (DROPPINGS.has(name)) continue;
          yield {
            type: entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other',
            name,
          };
        }
      } finally {
        dir.closeSync();
      }
    } catch (error) {
      yield problem(folder.path, error);
    }
  }

  /** The name when the glob and the scope want a file of it. */
  private wanted(folder: Folder, name: string): Name | null {
    if (!this.isMatch(this.step(folder, name))) return null;
    const hint = parseFileName(name, folder.hint);
    return inScope(hint, this.scope) ? { name, day: hint.day ?? '' } : null;
  }

  private step(folder: Folder, name: string, isLink = false): Reached | null {
    return folder.reached === null || this.glob === null ? null : this.glob.step(folder.reached, name, isLink);
  }

  private isMatch(reached: Reached | null): boolean {
    return reached === null || this.glob?.isMatch(reached) === true;
  }

  private *follow(folder: Folder, name: string): Generator<ListingProblem, void, undefined> {
    const reached = this.step(folder, name, true);
    if (reached?.length === 0) return;
    const path = child(folder.path, name);
    try {
      const real = pathOf(realpathSync.native(fsPath(path), { encoding: 'buffer' }));
      const stats = statSync(fsPath(real));
      if (stats.isDirectory()) {
        if (isWithin(folder.path, real)) {
          const error = new AppError(
            'source-unreadable',
            `cannot follow ${keyOf(path)}: it leads back to ${keyOf(real)}, which holds it`,
          );
          yield { key: keyOf(path), error };
        } else this.addFolder(real, reached, true);
      } else if (!this.isMatch(reached)) return;
      else if (!stats.isFile()) yield special(path);
      else if (this.isNew(real, true)) {
        const slash = real.lastIndexOf('/');
        const hint = parseFileName(real.slice(slash + 1), this.folderHint(real.slice(0, slash)));
        if (inScope(hint, this.scope)) this.waiting.push({ type: 'link', newest: hint.day ?? '', path: real, hint });
      }
    } catch (error) {
      yield problem(path, error);
    }
  }

  /** False when a folder that a link led to is listed elsewhere. */
  private enter(folder: Folder): boolean {
    const place = folder.reached === null ? folder.path : `${folder.path}/\0${folder.reached.join()}`;
    if (this.linkedFolders.has(place) || (folder.reached === null && this.isListedByItself(folder.path))) return false;
    this.linkedFolders.add(place);
    return true;
  }

  /** False when a file that a link led to is listed elsewhere. */
  private isNew(path: string, remember: boolean): boolean {
    if (this.linkedFiles.has(path) || this.isListedByItself(path)) return false;
    if (!remember) return true;
    if (this.linkedFolders.has(path.slice(0, path.lastIndexOf('/')))) return false;
    this.linkedFiles.add(path);
    return true;
  }

  /** Does the walk come to this real path without any link? */
  private isListedByItself(path: string): boolean {
    if (!isWithin(path, this.root)) return false;
    if (this.glob === null) return true;
    let reached = this.glob.start();
    for (const name of path.slice(this.below).split('/')) {
      if (this.glob.isMatch(reached)) return true;
      reached = this.glob.step(reached, name);
    }
    return this.glob.isMatch(reached);
  }
}

function child(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** Newest day first, then by name. */
function byAge(a: Name, b: Name): number {
  if (a.day !== b.day) return a.day > b.day ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function problem(path: string, error: unknown): ListingProblem {
  return { key: keyOf(path), error: unreadable(keyOf(path), error) };
}

function special(path: string): ListingProblem {
  const error = new AppError(
    'source-unreadable',
    `cannot read ${keyOf(path)}: it is a pipe, socket or device, not a file`,
    {
      hint: 'Name a pipe by itself to read it as a stream.',
    },
  );
  return { key: keyOf(path), error };
}
