/** Notifications can be lost: where the log files of a queue lie, so that what no message named is found by listing. */
import { accessLogStem } from '../keys.ts';

/** A queue is fed by a handful of prefixes; whoever may send to it must not make us list thousands. */
const ROOTS_MAX = 256;

/** The part of a key that all log files delivered like this one share: what is above `AWSLogs/`, above the dates, or before the time. Null where that would be a whole bucket of anything. */
export function rootOf(key: string): string | null {
  const layout = /^(?:.*\/)?AWSLogs\//s.exec(key)?.[0];
  if (layout !== undefined) return layout;
  const folder = key.slice(0, key.lastIndexOf('/') + 1);
  const dated = /^((?:.*?\/)?)(?:[A-Za-z_]+=)?(?:19|20)\d\d(?:[-/]|$)/s.exec(folder)?.[1];
  return dated ?? accessLogStem(key) ?? (folder === '' ? null : folder);
}

/** `s3://bucket/prefix` of each; what lies below another one is left out. */
export class Roots {
  #urls: string[];

  constructor(urls: readonly string[]) {
    this.#urls = [];
    for (const url of urls) this.#add(/^s3:\/\/[^/]+$/.test(url) ? `${url}/` : url);
  }

  get urls(): readonly string[] {
    return this.#urls;
  }

  /** False when there are too many. */
  addKey(bucket: string, key: string): boolean {
    const root = rootOf(key);
    return root === null || this.#add(`s3://${bucket}/${root}`);
  }

  #add(url: string): boolean {
    if (this.#urls.some((known) => url.startsWith(known))) return true;
    const others = this.#urls.filter((known) => !known.startsWith(url));
    if (others.length >= ROOTS_MAX) return false;
    this.#urls = [...others, url];
    return true;
  }
}
