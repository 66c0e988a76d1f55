/** Thrift's compact protocol, in which Parquet's metadata are written: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. */
import type { Bytes } from './bytes.ts';

/** A value and the type that the definition of its field names. */
export type Thrift =
  | { readonly i8: number }
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly bool: boolean }
  | { readonly binary: Uint8Array | string }
  | { readonly list: readonly Thrift[] }
  | { readonly struct: ThriftStruct };

/** Fields by their ids, in ascending order; those that are undefined are left out. */
export type ThriftStruct = Readonly<Record<number, Thrift | undefined>>;

const TRUE = 1;
const FALSE = 2;
const I8 = 3;
const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;

export const i32 = (value: number): Thrift => ({ i32: value });
export const i64 = (value: number): Thrift => ({ i64: value });
export const bool = (value: boolean): Thrift => ({ bool: value });
export const binary = (value: Uint8Array | string): Thrift => ({ binary: value });
export const list = (...values: readonly Thrift[]): Thrift => ({ list: values });
export const struct = (fields: ThriftStruct): Thrift => ({ struct: fields });

export function putStruct(to: Bytes, fields: ThriftStruct): void {
  let before = 0;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    const id = Number(key);
    // Ids in Parquet's definitions never leave a gap of more than 15.
    to.byte(((id - before) << 4) | typeOf(value));
    before = id;
    if (!('bool' in value)) putValue(to, value);
  }
  to.byte(0);
}

function typeOf(value: Thrift): number {
  if ('i32' in value) return I32;
  if ('i64' in value) return I64;
  if ('struct' in value) return STRUCT;
  if ('binary' in value) return BINARY;
  if ('list' in value) return LIST;
  if ('i8' in value) return I8;
  return value.bool ? TRUE : FALSE;
}

function putValue(to: Bytes, value: Thrift): void {
  if ('i32' in value) to.zigzag(value.i32);
  else if ('i64' in value) to.zigzag(value.i64);
  else if ('struct' in value) putStruct(to, value.struct);
  else if ('binary' in value) {
    const bytes = typeof value.binary === 'string' ? Buffer.from(value.binary) : value.binary;
    to.varint(bytes.length);
    to.put(bytes);
  } else if ('list' in value) {
    const { length, 0: first } = value.list;
    const type = first === undefined ? I32 : typeOf(first);
    if (length < 15) to.byte((length << 4) | type);
    else {
      to.byte(0xf0 | type);
      to.varint(length);
    }
    for (const item of value.list) putValue(to, item);
  } else to.byte('i8' in value ? value.i8 & 0xff : typeOf(value));
}
