/** The log files that lie below the roots of a table, by the day on which they were delivered, from lists of their keys alone. */
import { createHash, type Hash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import type { Folders } from '../../source.ts';
import type { LogRoot } from './ddl.ts';

export interface ListedFiles {
  readonly objects: number;
  readonly bytes: number;
  /** Changes when one comes, goes or has another content. */
  readonly digest: string;
  /** What a statement over these days reads: more than `bytes` where nothing tells days apart. */
  readonly scanBytes: number;
}

/** Lists that run beside each other. */
const LANES = 16;
/** The time in the name of an access log: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html. */
const DAY_IN_NAME = /([0-9]{4})-([0-9]{2})-([0-9]{2})(?:-[0-9]{2}){3}-[0-9A-F]{16}$/u;

interface DayOfPlace {
  readonly place: string;
  /** Its folder can be left out by a statement. */
  readonly isDivided: boolean;
  objects: number;
  bytes: number;
  readonly hash: Hash;
}

export class LogFiles {
  readonly #days = new Map<string, DayOfPlace[]>();
  /** Of folders that every statement reads whole. */
  #undividedBytes = 0;

  /** Those delivered from the day `first` to the day `last`, `yyyy/MM/dd`. One request for each account and Region, and for each thousand files. */
  static async list(
    roots: readonly LogRoot[],
    { first, last }: { readonly first: string; readonly last: string },
    { folders, signal }: { readonly folders: Folders; readonly signal: AbortSignal },
  ): Promise<LogFiles> {
    // Each request listens to it.
    setMaxListeners(0, signal);
    const found = new LogFiles();
    const limit = pLimit(LANES);
    const list = async (place: string, isDivided: boolean): Promise<void> => {
      const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/su.exec(place) ?? [];
      const days = new Map<string, DayOfPlace>();
      const after = isDivided ? { after: `${prefix}${first}` } : {};
      for await (const { key, sizeBytes, etag } of folders.objects(bucket, prefix, { ...after, signal })) {
        if (!isDivided) found.#undividedBytes += sizeBytes;
        const day = isDivided
          ? key.slice(prefix.length, prefix.length + first.length)
          : (DAY_IN_NAME.exec(key)?.slice(1, 4).join('/') ?? '');
        if (isDivided && day > last) break;
        if (day < first || day > last) continue;
        const one = days.get(day) ?? { place, isDivided, objects: 0, bytes: 0, hash: createHash('sha256') };
        days.set(day, one);
        one.objects += 1;
        one.bytes += sizeBytes;
        one.hash.update(JSON.stringify([key, sizeBytes, etag]));
      }
      for (const [day, one] of days) found.#days.set(day, [...(found.#days.get(day) ?? []), one]);
    };
    await Promise.all(
      roots.flatMap((root) => placesOf(root).map((place) => limit(() => list(place, root.template !== null)))),
    );
    for (const places of found.#days.values()) places.sort((a, b) => (a.place < b.place ? -1 : 1));
    return found;
  }

  /** Of these days together, both ends included. */
  between(first: string, last: string): ListedFiles {
    const hash = createHash('sha256');
    let [objects, bytes, scanBytes] = [0, 0, this.#undividedBytes];
    for (const [day, places] of [...this.#days].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (day < first || day > last) continue;
      for (const one of places) {
        objects += one.objects;
        bytes += one.bytes;
        if (one.isDivided) scanBytes += one.bytes;
        hash.update(JSON.stringify([day, one.place, one.hash.copy().digest('hex')]));
      }
    }
    return { objects, bytes, digest: hash.digest('hex'), scanBytes };
  }
}

/** The folders of a root in which days lie: one for each value of its keys. */
function placesOf({ location, template, keys }: LogRoot): readonly string[] {
  let places = [`${location}${template ?? ''}`];
  for (const { name, values } of keys)
    places = places.flatMap((place) => values.map((value) => place.replace(`\${${name}}`, value)));
  return places;
}
