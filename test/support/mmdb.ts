/** Writes small databases of addresses in MaxMind's format (https://maxmind.github.io/MaxMind-DB/), with invented data. */
import { parseNetworkOrAddress } from '../../src/network.ts';

type Data = string | number | { readonly [key: string]: Data };

/** Types of the format's data section. */
const UTF8 = 2;
const UINT32 = 6;
const MAP = 7;
const UINT64 = 9;
const ARRAY = 11;
const MARKER = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
const BITS = 128;
/** IPv4 lies at the beginning of the tree of IPv6. */
const IPV4_DEPTH = 96;
const RECORD_BYTES = 4;

function control(type: number, size: number): Buffer {
  if (size >= 29 + 256) throw new Error('no test needs so long a value');
  const [base, more] = size < 29 ? [size, []] : [29, [size - 29]];
  return type < 8 ? Buffer.from([(type << 5) | base, ...more]) : Buffer.from([base, type - 7, ...more]);
}

function unsigned(type: number, value: number): Buffer {
  const bytes = Buffer.from(
    value === 0 ? '' : value.toString(16).padStart(Math.ceil(value.toString(16).length / 2) * 2, '0'),
    'hex',
  );
  return Buffer.concat([control(type, bytes.length), bytes]);
}

function encoded(value: Data): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(UTF8, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') return unsigned(UINT32, value);
  const entries = Object.entries(value);
  return Buffer.concat([
    control(MAP, entries.length),
    ...entries.flatMap(([key, inner]) => [encoded(key), encoded(inner)]),
  ]);
}

/** A node of the tree: for each bit another node, data, or nothing. */
interface Node {
  readonly sides: [Node | Buffer | null, Node | Buffer | null];
}

const newNode = (): Node => ({ sides: [null, null] });

/** The file for these networks; a narrower one stands over a wider one that comes before it. */
export function mmdb(type: string, networks: Readonly<Record<string, Data>>): Buffer {
  const root = newNode();
  for (const [text, data] of Object.entries(networks)) {
    const network = parseNetworkOrAddress(text);
    if (network === null) throw new Error(`'${text}' is not a network`);
    const depth = network.bits + (network.family === 4 ? IPV4_DEPTH : 0);
    let node = root;
    for (let at = 0; at < depth; at += 1) {
      const side = Number((network.value >> BigInt(BITS - 1 - at)) & 1n);
      if (at === depth - 1) {
        node.sides[side] = encoded(data);
        continue;
      }
      const next = node.sides[side];
      const inner: Node =
        next !== null && next !== undefined && 'sides' in next ? next : { sides: [next ?? null, next ?? null] };
      node.sides[side] = inner;
      node = inner;
    }
  }
  const nodes: Node[] = [];
  const visit = (node: Node): void => {
    nodes.push(node);
    for (const side of node.sides) if (side !== null && 'sides' in side) visit(side);
  };
  visit(root);
  const places = new Map(nodes.map((node, at) => [node, at]));
  const data: Buffer[] = [];
  let dataBytes = 0;
  const offsets = new Map<string, number>();
  const recordOf = (side: Node | Buffer | null): number => {
    if (side === null) return nodes.length;
    if ('sides' in side) return places.get(side) ?? 0;
    const key = side.toString('hex');
    const known = offsets.get(key);
    const offset = known ?? dataBytes;
    if (known === undefined) {
      offsets.set(key, offset);
      data.push(side);
      dataBytes += side.length;
    }
    return nodes.length + 16 + offset;
  };
  const tree = Buffer.alloc(nodes.length * 2 * RECORD_BYTES);
  for (const [at, { sides }] of nodes.entries())
    for (const [side, value] of sides.entries()) tree.writeUInt32BE(recordOf(value), (at * 2 + side) * RECORD_BYTES);
  const metadata = Buffer.concat([
    control(MAP, 9),
    encoded('node_count'),
    unsigned(UINT32, nodes.length),
    encoded('record_size'),
    unsigned(5, RECORD_BYTES * 8),
    encoded('ip_version'),
    unsigned(5, 6),
    encoded('database_type'),
    encoded(type),
    encoded('languages'),
    control(ARRAY, 0),
    encoded('binary_format_major_version'),
    unsigned(5, 2),
    encoded('binary_format_minor_version'),
    unsigned(5, 0),
    encoded('build_epoch'),
    unsigned(UINT64, 1_735_689_600),
    encoded('description'),
    control(MAP, 0),
  ]);
  return Buffer.concat([tree, Buffer.alloc(16), ...data, MARKER, metadata]);
}
