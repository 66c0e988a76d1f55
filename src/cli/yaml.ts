/** YAML that a person wrote, with the place of everything in it. */
import { isScalar, LineCounter, type Node, parseDocument } from 'yaml';

export interface YamlFile {
  /** Null where it is not valid YAML. */
  readonly value: unknown;
  readonly broken: { readonly at: string; readonly message: string } | null;
  /** `file:line:column` of the value at a path, such as ['suppress', 0, 'reason']. */
  readonly placeOf: (path: readonly PropertyKey[]) => string;
}

/** Where a line of the text stands in the file, such as a comment of another language. */
export interface Indent {
  readonly columns: number;
}

export function readYaml(content: string, file: string, indent: Indent = { columns: 0 }): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col + indent.columns}`;
  };
  const [broken] = document.errors;
  return {
    value: broken === undefined ? (document.toJS({ maxAliasCount: 100 }) as unknown) : null,
    broken: broken === undefined ? null : { at: at(broken.pos[0]), message: broken.message },
    placeOf: (path) => at(offsetOf(document.contents, path)),
  };
}

/** Offset of the value at `path`, or of the key itself where that is what is wrong, or of the nearest thing around it. */
function offsetOf(root: Node | null, path: readonly PropertyKey[]): number {
  let offset = root?.range?.[0] ?? 0;
  let node: unknown = root;
  for (const part of path) {
    if (typeof node !== 'object' || node === null || !('items' in node) || !Array.isArray(node.items)) break;
    if (typeof part === 'number') {
      node = node.items[part];
    } else {
      const pair: unknown = node.items.find(
        (item: { key?: unknown }) => isScalar(item.key) && String(item.key.value) === String(part),
      );
      if (typeof pair !== 'object' || pair === null || !('key' in pair) || !('value' in pair)) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value;
    }
    if (typeof part === 'number' && typeof node === 'object' && node !== null && 'range' in node) {
      offset = (node as Node).range?.[0] ?? offset;
    }
  }
  return offset;
}
