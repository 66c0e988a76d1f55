/** A list of log files by name as a source: each line is one file, or one object of S3, which is asked for by itself. No prefix is listed. */
import { setMaxListeners } from 'node:events';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { AppError } from '../errors.ts';
import { deliveredHour, hourInScope, inScope, parseKey } from '../keys.ts';
import { unreadable } from '../payload.ts';
import type { AwsOptions, ListingProblem, LogFile, Scope, Source } from '../source.ts';
import { archiveAt, listArchive } from './archive.ts';
import { isBucketName } from './bucket-name.ts';
import { lookAt, openDirectorySource } from './directory.ts';
import type { S3Objects } from './s3-objects.ts';

/** Objects that are asked for at a time. */
const REQUESTS_MAX = 32;
/** Some two million names: what is larger is no list. */
const LIST_BYTES_MAX = 256 * 1024 * 1024;
/** What stands above the values where `sql` wrote them: the column of Athena's tables, and that of `log_file`. */
const HEADERS: ReadonlySet<string> = new Set(['source_path', 'key']);

type Found = LogFile | ListingProblem;

/** Without `key` the path of a local file. */
interface Named {
  readonly name: string;
  readonly bucket?: string;
  readonly key?: string;
}

/**
 * `from`: a file, or `-` for `stdin`. Lines are paths and s3:// URLs as they are, or as `sql` writes a column of them as CSV or JSONL; empty lines and repeats count
 * for nothing. Throws `usage-invalid` for a line that cannot name a file, and `source-missing` where there is no list or no name in it.
 */
export async function openFileList(from: string, stdin: Readable, options: AwsOptions): Promise<Source> {
  const named = namesIn(await readList(from, stdin), from);
  const hasObjects = named.some(({ key }) => key !== undefined);
  const objects = hasObjects ? await (await import('./s3-objects.ts')).openS3Objects(options) : null;
  return {
    name: from,
    paths: named.flatMap(({ name, key }) => (key === undefined ? [name] : [])),
    list: (scope, signal) => list(named, objects, scope, signal),
    ...(objects !== null && { costs: () => objects.costs }),
    close: () => {
      objects?.close();
      return Promise.resolve();
    },
  };
}

async function* list(
  named: readonly Named[],
  objects: S3Objects | null,
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<Found, void, undefined> {
  // Each request listens for its end.
  setMaxListeners(0, signal);
  const local = new Set<string>();
  /** In the order of the list, though several are asked for at once. */
  const asked: Promise<Found>[] = [];
  try {
    for (const one of named) {
      if (signal.aborted) throw new AppError('interrupted', 'stopped looking for the files of a list');
      if (one.bucket === undefined || one.key === undefined || objects === null) {
        for await (const found of localFiles(one.name, scope, signal)) {
          // Two paths may lead to one file.
          if (!local.has(found.key)) yield found;
          local.add(found.key);
        }
        continue;
      }
      if (!inScope(parseKey(one.key), scope) || !hourInScope(deliveredHour(one.key), scope)) continue;
      const answer = objects.ask(one.bucket, one.key, signal);
      // It is awaited in its turn; what it fails with before must not count as unhandled.
      answer.catch(() => undefined);
      asked.push(answer);
      if (asked.length >= REQUESTS_MAX) yield (await asked.shift()) as Found;
    }
    while (asked.length > 0) yield (await asked.shift()) as Found;
  } finally {
    // One that failed has told why the run ends; the others are of no use then.
    await Promise.allSettled(asked);
  }
}

/** A file as it is, or the members of an archive. */
async function* localFiles(path: string, scope: Scope, signal: AbortSignal): AsyncGenerator<Found, void, undefined> {
  try {
    const { real, stats } = lookAt(path);
    if (!stats.isFile()) {
      throw new AppError('source-unreadable', `cannot read '${path}': it is no file`, {
        hint: 'Each line of a list names one file: name folders on the command line.',
      });
    }
    const archive = await archiveAt(real, stats);
    if (archive === null) yield* (await openDirectorySource(path)).list(scope, signal);
    else yield* listArchive(archive, scope, signal);
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'interrupted') throw error;
    yield { key: path, error };
  }
}

async function readList(from: string, stdin: Readable): Promise<string> {
  const stream = from === '-' ? stdin : createReadStream(lookAt(from).real);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length > LIST_BYTES_MAX) {
        throw new AppError('usage-invalid', `cannot use the list ${from}: it has more than ${LIST_BYTES_MAX} bytes`, {
          hint: 'A list holds names of log files, one a line. To read the records of a stream, name - as the source.',
        });
      }
    }
  } catch (error) {
    throw error instanceof AppError ? error : unreadable(from, error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Each name once, in the order of the list. */
function namesIn(text: string, from: string): readonly Named[] {
  const names = new Map<string, Named>();
  let isFirst = true;
  for (const [at, line] of text
    .replace(/^\uFEFF/u, '')
    .split(/\r?\n/u)
    .entries()) {
    if (line.trim() === '') continue;
    const name = nameIn(line);
    const isHeader = isFirst && HEADERS.has(line.trim());
    isFirst = false;
    if (isHeader || name === '') continue;
    const one = name === null ? null : namedBy(name);
    if (one === null) {
      throw new AppError(
        'usage-invalid',
        `cannot use line ${at + 1} of the list ${from}: ${JSON.stringify(line.slice(0, 200))} names no file`,
        {
          hint: 'Expected a path, s3://bucket/key, or what `trailhound sql --output csv` or jsonl writes of one column.',
        },
      );
    }
    names.set(one.name, one);
  }
  if (names.size > 0) return [...names.values()];
  throw new AppError('source-missing', `the list ${from} names no log file`, {
    hint: 'Expected paths or s3:// URLs, one a line. A question that found nothing gives an empty list.',
  });
}

/** The name in a line of text, CSV or JSONL; empty where the value is NULL, null where there is no one name. */
function nameIn(line: string): string | null {
  if (line.startsWith('{')) return memberIn(line);
  if (!line.startsWith('"')) return line.trimEnd();
  const [, quoted = null] = /^"((?:[^"]|"")*)"$/u.exec(line) ?? [];
  return quoted === null ? null : quoted.replaceAll('""', '"');
}

function memberIn(line: string): string | null {
  try {
    const values = Object.values(JSON.parse(line) as object) as unknown[];
    const [value] = values;
    if (values.length !== 1) return null;
    return value === null ? '' : typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

function namedBy(name: string): Named | null {
  if (name.includes('\0')) return null;
  if (!name.startsWith('s3://')) return /^[a-z0-9]+:\/\//u.test(name) ? null : { name };
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.*[^/])$/su.exec(name) ?? [];
  return isBucketName(bucket) && key !== '' ? { name, bucket, key } : null;
}
