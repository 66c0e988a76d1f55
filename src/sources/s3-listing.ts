/** Lists the log files of a bucket: only the folders that may hold something of the scope, several at once, newest day first. */
import { setMaxListeners } from 'node:events';
import { type _Object, ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../errors.ts';
import {
  accessLogStem,
  DELIVERY_LATENESS_MS,
  deliveredHour,
  type FolderHint,
  folderInScope,
  holdsYears,
  hourInScope,
  inScope,
  isForeign,
  parseFolder,
} from '../keys.ts';
import type { ListingCosts, ListingProblem, LogFile, Scope } from '../source.ts';
import { DAY_MS, formatDay } from '../time.ts';
import { Heap } from './heap.ts';
import { awsError } from './s3-client.ts';
import { objectFile } from './s3-object.ts';
import { mayRetry } from './s3-retry.ts';

export interface Location {
  readonly bucket: string;
  /** Keys begin with it; empty for all of the bucket. */
  readonly prefix: string;
}

export interface ListingOptions extends Location {
  readonly client: S3Client;
  readonly requestPayer: boolean;
  /** Tells a person what is unusual and costs them something. */
  readonly warn: (message: string) => void;
}

/** Requests for keys at a time. */
const REQUESTS_MAX = 16;
/** Files listed and not taken: listing waits for whoever reads them. */
const READY_MAX = 20_000;
/** A window of so many days is asked for day by day; of more, the years, months and days that exist are listed. */
const DAYS_ASKED_MAX = 45;
/** Levels of folders without a known layout that are looked into one by one; below them every key is listed. */
const UNKNOWN_LEVELS_MAX = 4;
/** So many requests into folders of no known layout are worth a word. */
const UNKNOWN_REQUESTS_TOLD = 20;
/** Sorts before all days: a folder that may hold any day must be looked into first. */
const ANY_DAY = '9999-99-99';
/** The character after the digits: no month sorts behind it. */
const AFTER_DIGITS = ':';

/** What waits for its turn: a folder that is to be listed, or log files of one day that were listed already. */
type Waiting = Folder | { readonly prefix: string; readonly newest: string; readonly files: readonly LogFile[] };

interface Folder {
  readonly prefix: string;
  readonly newest: string;
  /** Levels above it, from what the user named, that no known layout explains. */
  readonly unknownLevels: number;
  /** Only keys behind this one. */
  readonly after?: string;
}

/** Access logs that cannot hold anything of the scope: those that begin with `stem` and sort before `to`. */
interface Skip {
  readonly stem: string;
  readonly to: string;
}
const isSkipped = (key: string, { stem, to }: Skip): boolean => key.startsWith(stem) && key < to;

type Found = LogFile | ListingProblem;

export class S3Listing {
  readonly #options: ListingOptions;
  readonly #scope: Scope;
  readonly #signal: AbortSignal;
  readonly #waiting = new Heap<Waiting>((a, b) => (a.newest === b.newest ? a.prefix < b.prefix : a.newest > b.newest));
  readonly #ready: Found[] = [];
  readonly #costs: { -readonly [name in keyof ListingCosts]: number };
  /** Folders that are being listed. */
  readonly #listed: Folder[] = [];
  #unknownRequests = 0;
  #wake: (() => void) | null = null;
  #drained: (() => void)[] = [];

  /** `costs` goes on counting. */
  constructor(
    options: ListingOptions,
    scope: Scope,
    signal: AbortSignal,
    costs: { -readonly [name in keyof ListingCosts]: number },
  ) {
    this.#options = options;
    this.#scope = scope;
    this.#signal = signal;
    this.#costs = costs;
    // Each request listens for its end.
    setMaxListeners(0, signal);
  }

  async *files(): AsyncGenerator<Found, void, undefined> {
    this.#waiting.push({ prefix: this.#options.prefix, newest: ANY_DAY, unknownLevels: 0 });
    for (;;) {
      if (this.#signal.aborted)
        throw new AppError('interrupted', `stopped listing ${this.#urlOf(this.#options.prefix)}`);
      this.#start();
      if (this.#ready.length > 0) {
        yield* this.#ready.splice(0);
        for (const resolve of this.#drained.splice(0)) resolve();
      } else if (this.#listed.length === 0) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  #start(): void {
    while (this.#listed.length < REQUESTS_MAX && this.#ready.length < READY_MAX) {
      const folder = this.#waiting.pop();
      if (folder === undefined) return;
      if ('files' in folder) {
        // What is being listed may be newer.
        if (this.#listed.some(({ newest }) => newest > folder.newest)) {
          this.#waiting.push(folder);
          return;
        }
        this.#ready.push(...folder.files);
        continue;
      }
      this.#listed.push(folder);
      this.#look(folder)
        .catch((error: unknown) => {
          const key = this.#urlOf(folder.prefix);
          if (!this.#signal.aborted) this.#ready.push({ key, error: awsError(error, `list ${key}`) });
        })
        .finally(() => {
          this.#listed.splice(this.#listed.indexOf(folder), 1);
          this.#wake?.();
        });
    }
  }

  async #look(folder: Folder): Promise<void> {
    const hint = parseFolder(folder.prefix.replace(/\/$/u, ''), this.#options.prefix.length);
    const isDay = hint.exact && hint.first !== null && hint.first === hint.last;
    if (isDay || folder.unknownLevels > UNKNOWN_LEVELS_MAX) return this.#list(folder, false);
    const days = holdsYears(folder.prefix) ? this.#daysAsked() : null;
    if (days === null && hint.exact && (await this.#takeMonth(folder, hint))) return;
    if (days === null) return this.#list(folder, true);
    for (const day of days)
      this.#waiting.push({ ...folder, prefix: `${folder.prefix}${day.replaceAll('-', '/')}/`, newest: day });
  }

  /** Takes a whole month that one page holds: one request instead of one for each day. False where it is none, or holds more. */
  async #takeMonth(folder: Folder, { first, last }: FolderHint): Promise<boolean> {
    const { fromMs, toMs } = this.#scope;
    if (first === null || last === null || first.slice(0, 7) !== last.slice(0, 7)) return false;
    const isWhole = fromMs === undefined || fromMs <= Date.parse(`${first}T00:00:00Z`);
    if (!isWhole || (toMs !== undefined && toMs < Date.parse(`${last}T00:00:00Z`))) return false;
    const page = await this.#page(folder, false, undefined, undefined);
    if (page.NextContinuationToken !== undefined) return false;
    const decode = decoderOf(page);
    const days = new Map<string, LogFile[]>();
    for (const object of page.Contents ?? []) {
      this.#costs.keysListed++;
      const file = object.Key === undefined ? null : this.#fileOf(decode(object.Key), object);
      if (file === null) continue;
      const day = file.hint.day ?? last;
      const files = days.get(day);
      if (files === undefined) days.set(day, [file]);
      else files.push(file);
    }
    for (const [newest, files] of days) this.#waiting.push({ prefix: folder.prefix, newest, files });
    return true;
  }

  /** The days of delivery that may hold something of the scope; null when they are too many to be asked for. */
  #daysAsked(): readonly string[] | null {
    const { fromMs, toMs } = this.#scope;
    if (fromMs === undefined) return null;
    const first = Math.floor(fromMs / DAY_MS);
    const last = Math.floor(
      Math.min(Date.now(), (toMs ?? Number.POSITIVE_INFINITY) - 1 + DELIVERY_LATENESS_MS) / DAY_MS,
    );
    if (last - first + 1 > DAYS_ASKED_MAX) return null;
    return Array.from({ length: Math.max(last - first + 1, 0) }, (_, index) => formatDay(first + index));
  }

  /** Reads all pages of a folder; with `levels`, what lies in its own folders waits for its turn. */
  async #list(folder: Folder, levels: boolean): Promise<void> {
    let startAfter = folder.after;
    let token: string | undefined;
    do {
      const page = await this.#page(folder, levels, startAfter, token);
      startAfter = undefined;
      token = page.NextContinuationToken;
      const decode = decoderOf(page);
      for (const { Prefix } of page.CommonPrefixes ?? [])
        if (Prefix !== undefined) this.#addFolder(decode(Prefix), folder);
      let skip: Skip | null = null;
      for (const object of page.Contents ?? []) {
        if (object.Key === undefined) continue;
        const key = decode(object.Key);
        this.#costs.keysListed++;
        if (skip === null || !isSkipped(key, skip)) skip = this.#skipFrom(key);
        const file = skip === null ? this.#fileOf(key, object) : null;
        if (file !== null) this.#ready.push(file);
        if (skip !== null) this.#costs.keysPruned++;
      }
      const last = decode(page.Contents?.at(-1)?.Key ?? '');
      // Behind a page with folders some of them would come again.
      if (token !== undefined && skip !== null && isSkipped(last, skip) && page.CommonPrefixes === undefined) {
        this.#addSkipped(last, skip, folder);
        startAfter = skip.to;
        token = undefined;
      }
      while (this.#ready.length >= READY_MAX && !this.#signal.aborted)
        await new Promise<void>((resolve) => {
          this.#drained.push(resolve);
        });
    } while ((token !== undefined || startAfter !== undefined) && !this.#signal.aborted);
  }

  async #page(
    folder: Folder,
    levels: boolean,
    startAfter: string | undefined,
    token: string | undefined,
  ): Promise<ListObjectsV2CommandOutput> {
    const { client, bucket, requestPayer } = this.#options;
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: folder.prefix,
      EncodingType: 'url',
      ...(levels && { Delimiter: '/' }),
      ...(startAfter !== undefined && { StartAfter: startAfter }),
      ...(token !== undefined && { ContinuationToken: token }),
      ...(requestPayer && { RequestPayer: 'requester' as const }),
    });
    if (folder.unknownLevels > 0 && ++this.#unknownRequests === UNKNOWN_REQUESTS_TOLD) this.#tellUnknown();
    for (let failures = 0; ; ) {
      this.#costs.listRequests++;
      try {
        const page = await client.send(command, { abortSignal: this.#signal });
        this.#wake?.();
        return page;
      } catch (error) {
        if (!(await mayRetry(error, ++failures, this.#signal))) throw error;
      }
    }
  }

  #tellUnknown(): void {
    this.#options.warn(
      `${this.#urlOf(this.#options.prefix)} has folders in no layout that trailhound knows: every key in them is listed, a request for each thousand of them`,
    );
  }

  #addFolder(prefix: string, parent: Folder): void {
    const hint = parseFolder(prefix.replace(/\/$/u, ''), this.#options.prefix.length);
    if (isForeign(hint) || !folderInScope(hint, this.#scope)) {
      this.#costs.foldersPruned++;
      return;
    }
    const unknownLevels = hint.exact || /(?:^|\/)AWSLogs\//u.test(prefix) ? 0 : parent.unknownLevels + 1;
    this.#waiting.push({ prefix, newest: hint.last ?? ANY_DAY, unknownLevels });
  }

  /** What can be left out from this key of an access log on. */
  #skipFrom(key: string): Skip | null {
    const stem = accessLogStem(key);
    const hourMs = stem === null ? null : deliveredHour(key);
    if (stem === null || hourMs === null || hourInScope(hourMs, this.#scope)) return null;
    const { fromMs } = this.#scope;
    const to =
      fromMs === undefined || hourMs >= fromMs
        ? `${new Date().getUTCFullYear()}-${AFTER_DIGITS}`
        : new Date(fromMs).toISOString().slice(0, 13).replace('T', '-');
    return { stem, to: stem + to };
  }

  /** Folders of years and of accounts begin with digits as well: those among the access logs that are skipped are not to be skipped with them. */
  #addSkipped(from: string, { stem, to }: Skip, folder: Folder): void {
    const yearOf = (key: string): number => Number(key.slice(stem.length, stem.length + 4));
    for (let year = yearOf(from); year < yearOf(to); year++) {
      const prefix = `${stem}${year}`;
      this.#waiting.push({ ...folder, prefix, newest: ANY_DAY, after: `${prefix}-${AFTER_DIGITS}` });
    }
  }

  /** Null for what is out of scope, or no file. */
  #fileOf(key: string, { Size: sizeBytes = 0, ETag: etag = '' }: _Object): LogFile | null {
    // What consoles make to show an empty folder.
    if (key.endsWith('/') && sizeBytes === 0) return null;
    const { client, bucket, prefix, requestPayer } = this.#options;
    const file = objectFile(client, { bucket, key, etag, sizeBytes, requestPayer }, prefix.length);
    if (inScope(file.hint, this.#scope) && hourInScope(deliveredHour(key), this.#scope)) return file;
    this.#costs.keysPruned++;
    return null;
  }

  #urlOf(key: string): string {
    return `s3://${this.#options.bucket}/${key}`;
  }
}

/** Keys come percent-encoded, because XML cannot hold every character; servers that only resemble S3 may not do so. */
function decoderOf({ EncodingType: encoding }: ListObjectsV2CommandOutput): (text: string) => string {
  return encoding === 'url' ? (text) => decodeURIComponent(text.replaceAll('+', ' ')) : (text) => text;
}
