/** The documents of a YAML file, in which every value knows where it stands. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseAllDocuments,
  type Scalar,
} from 'yaml';

/** From 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface MapValue {
  readonly kind: 'map';
  readonly entries: readonly Entry[];
  readonly place: Place;
}
export interface Entry {
  readonly key: string;
  /** Of the key. */
  readonly place: Place;
  readonly value: Value;
}
export interface ListValue {
  readonly kind: 'list';
  readonly items: readonly Value[];
  readonly place: Place;
}
export interface ScalarValue {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As it is written, without quotes. */
  readonly text: string;
  readonly place: Place;
  /** Where its text begins, where it stands on one line as it is: then places inside of it are known too. */
  readonly inside: Place | null;
}
export type Value = MapValue | ListValue | ScalarValue;

/** What keeps a rule from being used, and where it stands. */
export class RuleProblem extends Error {
  readonly place: Place;
  constructor(place: Place, message: string) {
    super(message);
    this.name = 'RuleProblem';
    this.place = place;
  }
}

/** A document, or why it cannot be read. */
export type Document = { readonly value: Value } | { readonly problem: RuleProblem };

const ALIASES_MAX = 100;

/** Empty documents are left out. */
export function readDocuments(text: string, file: string): readonly Document[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  if (!Array.isArray(parsed)) return [];
  return parsed.flatMap((document): readonly Document[] => {
    const [broken] = document.errors;
    if (broken !== undefined)
      return [{ problem: new RuleProblem(at(broken.pos[0]), `not valid YAML: ${broken.message}`) }];
    if (document.contents === null) return [];
    try {
      let aliases = 0;
      const value = valueOf(document.contents, at, (alias) => {
        aliases += 1;
        return aliases > ALIASES_MAX || !isAlias(alias) ? undefined : alias.resolve(document);
      });
      return value.kind === 'scalar' && value.value === null ? [] : [{ value }];
    } catch (error) {
      if (!(error instanceof RuleProblem)) throw error;
      return [{ problem: error }];
    }
  });
}

function valueOf(
  node: Node | ParsedNode | null,
  at: (offset: number) => Place,
  resolve: (alias: Node) => Node | undefined,
): Value {
  const offset = node?.range?.[0] ?? 0;
  const place = at(offset);
  if (isAlias(node)) {
    const target = resolve(node);
    if (target === undefined)
      throw new RuleProblem(place, `the alias *${node.source} leads nowhere, or there are too many`);
    return valueOf(target, at, resolve);
  }
  if (isMap(node)) {
    const entries = node.items.map(({ key, value }): Entry => {
      const keyNode = key as Node | null;
      if (!isScalar(keyNode)) throw new RuleProblem(place, 'a key is no text');
      return {
        key: textOfScalar(keyNode),
        place: at(keyNode.range?.[0] ?? offset),
        value:
          value === null || value === undefined
            ? { kind: 'scalar', value: null, text: '', place: at(keyNode.range?.[0] ?? offset), inside: null }
            : valueOf(value as Node, at, resolve),
      };
    });
    return { kind: 'map', entries, place };
  }
  if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => valueOf(item as Node, at, resolve)), place };
  if (!isScalar(node)) throw new RuleProblem(place, 'expected a text, a list or names and values');
  const { value, source, type } = node;
  const quotes = type === 'QUOTE_SINGLE' || type === 'QUOTE_DOUBLE' ? 1 : 0;
  const isPlain =
    (type === 'PLAIN' || quotes === 1) && (node.range?.[1] ?? 0) - offset === (source ?? '').length + 2 * quotes;
  return {
    kind: 'scalar',
    value: typeof value === 'bigint' ? String(value) : (value as ScalarValue['value']),
    text: textOfScalar(node),
    place,
    inside: isPlain ? { ...place, column: place.column + quotes } : null,
  };
}

/** A text as it is meant, all else as it is written. */
const textOfScalar = ({ value, source }: Scalar): string => (typeof value === 'string' ? value : (source ?? ''));

/** The place of a character of a text; that of the text where it cannot be told. */
export const placeIn = ({ place, inside }: ScalarValue, offset: number): Place =>
  inside === null ? place : { ...inside, column: inside.column + offset };

export const entryOf = (map: MapValue, key: string): Entry | undefined =>
  map.entries.find((entry) => entry.key === key);

/** The text under a key; null where there is none. Throws where there is something else. */
export function textOf(map: MapValue, key: string): string | null {
  const value = entryOf(map, key)?.value;
  if (value === undefined || (value.kind === 'scalar' && value.value === null)) return null;
  if (value.kind !== 'scalar') throw new RuleProblem(value.place, `${key}: expected a text`);
  return value.text;
}

/** The texts under a key, of a list or alone. */
export function textsOf(map: MapValue, key: string): readonly ScalarValue[] {
  const value = entryOf(map, key)?.value;
  if (value === undefined || (value.kind === 'scalar' && value.value === null)) return [];
  const items = value.kind === 'list' ? value.items : [value];
  return items.map((item) => {
    if (item.kind !== 'scalar') throw new RuleProblem(item.place, `${key}: expected texts`);
    return item;
  });
}

export function mapOf(map: MapValue, key: string): MapValue | null {
  const value = entryOf(map, key)?.value;
  if (value === undefined) return null;
  if (value.kind !== 'map') throw new RuleProblem(value.place, `${key}: expected names and values`);
  return value;
}
