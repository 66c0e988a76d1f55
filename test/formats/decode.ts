/** Decodes bytes with the format under test and reads its columns back as plain values. */
import type { Batch, DecodeLimits, Decoder, FileOutcome, Format } from '../../src/format.ts';
import { cloudtrailFormat } from '../../src/formats/cloudtrail.ts';
import { rawColumns, type Table } from '../../src/table.ts';
import { DAY_MS } from '../../src/time.ts';

export const LIMITS: DecodeLimits = { recordBytes: 32 * 1024 * 1024, windowBytes: 64 * 1024 * 1024 };
export const LOG_FILE = 7;
export const DELIVERED_DAY = 19_800;
export const INGESTED_AT_MS = (DELIVERED_DAY + 1) * DAY_MS;
export const FILE = { logFile: LOG_FILE, deliveredDay: DELIVERED_DAY, ingestedAtMs: INGESTED_AT_MS };

export type Value = string | number | bigint | boolean;
export type Row = Record<string, Value>;

export interface Reject {
  readonly recordNo: number;
  readonly offset: number;
  readonly length: number;
  readonly reason: string;
  readonly text: string;
}

export interface Decoded {
  readonly kind: FileOutcome['kind'];
  readonly recordsIn: number;
  /** Columns that have a value; `event_day`, `identity` and `has_identity` beside them. */
  readonly rows: readonly Row[];
  readonly rejects: readonly Reject[];
  /** What to read of each reject, in words. */
  readonly details: readonly string[];
}

const NO_BYTES = new Uint8Array(0);

const decoders = new Map<string, Promise<Decoder>>();

/** A row without some of its columns. */
export function without(row: Row, ...names: readonly string[]): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));
}

/** One decoder for each format and set of limits: making one is cheap, but a million are not. */
export function decoderOf(limits: DecodeLimits = LIMITS, format: Format = cloudtrailFormat): Promise<Decoder> {
  const key = `${format.name} ${JSON.stringify(limits)}`;
  const known = decoders.get(key) ?? format.createDecoder(limits);
  decoders.set(key, known);
  return known;
}

/** The values of a column whose values repeat, as the decoder gathers them. */
function repeatedOf(batch: Batch, column: number): readonly string[] {
  const { codes, size, texts } = batch.packRepeated(column);
  const view = Buffer.from(texts);
  const values: string[] = [];
  for (let at = 0; at < view.length; ) {
    const length = view.readUInt32LE(at);
    values.push(view.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  if (values.length !== size || new Set(values).size !== size) throw new Error('a value is there twice, or none');
  return Array.from(codes, (code) => values[code] ?? '');
}

export function rowsOf(batch: Batch, table: Table = cloudtrailFormat.table): Row[] {
  const names = rawColumns(table).map(({ name }) => name);
  batch.select(Int32Array.from({ length: batch.rows }, (_, row) => row));
  const repeated = batch.columns.map(({ repeats }, index) =>
    repeats ? repeatedOf(batch, index)[Symbol.iterator]() : null,
  );
  const view = new DataView(batch.memory);
  const bytes = Buffer.from(batch.memory);
  const bit = (validity: number, row: number): boolean =>
    ((view.getUint8(validity + (row >> 3)) >> (row & 7)) & 1) === 1;
  const textOf = (slot: number): string => {
    const length = view.getUint32(slot, true);
    const start = length <= 12 ? slot + 4 : Number(view.getBigUint64(slot + 8, true));
    if (length > 12 && view.getUint32(slot + 4, true) !== view.getUint32(start, true))
      throw new Error('a slot has the wrong prefix');
    return bytes.toString('utf8', start, start + length);
  };
  const { columns, eventDay, identity, hasIdentity } = batch;
  return Array.from({ length: batch.rows }, (_, row) => {
    const values: Row = {};
    for (const [index, { layout, data, validity }] of columns.entries()) {
      const name = names[index] ?? '';
      if (!bit(validity, row)) continue;
      if (layout === 'string') {
        values[name] = textOf(data + row * 16);
        const again = repeated[index]?.next().value;
        if (again !== undefined && again !== values[name]) throw new Error(`${name} is gathered wrong`);
      } else if (layout === 'timestamp') values[name] = view.getBigInt64(data + row * 8, true);
      else if (layout === 'bigint') values[name] = Number(view.getBigInt64(data + row * 8, true));
      else if (layout === 'integer') values[name] = view.getInt32(data + row * 4, true);
      else values[name] = view.getUint8(data + row) === 1;
    }
    values['event_day'] = eventDay[row] ?? Number.NaN;
    values['identity'] = Buffer.from(identity.subarray(row * 24, row * 24 + 24)).toString('hex');
    values['has_identity'] = hasIdentity[row] === 1;
    return values;
  });
}

/** Pushes each slice in turn, taking windows as they fill. */
export function decodeSlices(decoder: Decoder, slices: readonly Uint8Array[]): Decoded {
  const rows: Row[] = [];
  const taken: FileOutcome['rejects'][number][] = [];
  decoder.begin(FILE);
  const takeWindow = (): void => {
    rows.push(...rowsOf(decoder.batch(), decoder.table));
    decoder.reset();
  };
  const push = (part: Uint8Array, last: boolean): void => {
    for (let state = decoder.push(part, last); state === 'full'; state = decoder.push(NO_BYTES, last)) takeWindow();
    taken.push(...decoder.takeRejects());
  };
  for (const slice of slices) {
    for (let at = 0; at < slice.length; ) {
      if (decoder.roomBytes() === 0) takeWindow();
      const part = slice.subarray(at, at + decoder.roomBytes());
      at += part.length;
      push(part, false);
    }
  }
  push(NO_BYTES, true);
  takeWindow();
  const outcome = decoder.end();
  const rejects = [...taken, ...outcome.rejects];
  return {
    kind: outcome.kind,
    recordsIn: outcome.recordsIn,
    rows,
    rejects: rejects.map(({ recordNo, offset, length, reason, text }) => ({
      recordNo,
      offset,
      length,
      reason,
      text: Buffer.from(text).toString('latin1'),
    })),
    details: rejects.map((reject) => reject.detail),
  };
}

export async function decode(
  content: string | Uint8Array,
  limits: DecodeLimits = LIMITS,
  format: Format = cloudtrailFormat,
): Promise<Decoded> {
  return decodeSlices(await decoderOf(limits, format), [typeof content === 'string' ? Buffer.from(content) : content]);
}

/** The content cut into slices of `sizes` bytes, in turn. */
export function slicesOf(content: Uint8Array, sizes: () => number): Uint8Array[] {
  const slices: Uint8Array[] = [];
  for (let at = 0; at < content.length; ) {
    const size = Math.max(1, sizes());
    slices.push(content.subarray(at, at + size));
    at += size;
  }
  return slices;
}
