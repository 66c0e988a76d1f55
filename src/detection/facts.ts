/** What AWS and ATT&CK publish, as far as detectors rest on it: names of events by source, numbers of techniques by version. Read from facts/. */

export interface EventNames {
  /** Event sources as CloudTrail writes them, such as `iam.amazonaws.com`. */
  readonly sources: readonly string[];
  isSource(source: string): boolean;
  /** The names of a source, or of all where it is null, as CloudTrail writes them. */
  namesOf(source: string | null): readonly string[];
  /** Regardless of case, as conditions compare them. */
  has(source: string | null, name: string): boolean;
  /** The sources that have an event of this name. */
  sourcesOf(name: string): readonly string[];
}

const DOMAIN = '.amazonaws.com';

/** `facts/event-names.txt`. */
export function parseEventNames(text: string): EventNames {
  const names = new Map<string, readonly string[]>();
  const sourcesByName = new Map<string, string[]>();
  for (const [source = '', ...some] of linesOf(text)) {
    names.set(`${source}${DOMAIN}`, some);
    for (const name of some) {
      const key = name.toLowerCase();
      const sources = sourcesByName.get(key);
      if (sources === undefined) sourcesByName.set(key, [`${source}${DOMAIN}`]);
      else sources.push(`${source}${DOMAIN}`);
    }
  }
  const sourcesOf = (name: string): readonly string[] => sourcesByName.get(name.toLowerCase()) ?? [];
  return {
    sources: [...names.keys()],
    isSource: (source) => names.has(source.toLowerCase()),
    namesOf: (source) => (source === null ? [...names.values()].flat() : (names.get(source.toLowerCase()) ?? [])),
    has: (source, name) =>
      source === null ? sourcesOf(name).length > 0 : sourcesOf(name).includes(source.toLowerCase()),
    sourcesOf,
  };
}

export interface Technique {
  readonly id: string;
  /** The versions of ATT&CK that have the number, of those that are known; `last` is null while it lasts. */
  readonly first: number;
  readonly last: number | null;
  readonly tactics: readonly string[];
  readonly name: string;
}

/** `facts/attack.txt`. */
export function parseTechniques(text: string): ReadonlyMap<string, Technique> {
  return new Map(
    linesOf(text).map(([id = '', first = '', last = '', tactics = '', ...name]) => [
      id,
      {
        id,
        first: Number(first),
        last: last === '-' ? null : Number(last),
        tactics: tactics.split(','),
        name: name.join(' '),
      },
    ]),
  );
}

const linesOf = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' '));
