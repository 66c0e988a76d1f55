/** Property of files of envelopes of which one is damaged: nothing of the others is lost, everything is counted, and it does not matter where the bytes are cut. */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import type { Envelopes } from '../../src/envelope.ts';
import type { Decoder, Format } from '../../src/format.ts';
import { cloudtrailFormat } from '../../src/formats/cloudtrail.ts';
import { cloudtrailInsightFormat } from '../../src/formats/cloudtrail-insight.ts';
import { createEnvelopes, loadEnvelopeValues } from '../../src/formats/envelopes.ts';
import { s3AccessFormat } from '../../src/formats/s3-access.ts';
import { wafFormat } from '../../src/formats/waf.ts';
import { decoderOf, FILE, LIMITS } from './decode.ts';
import { access, call, WRAPS, waf, wrapped } from './envelope-wraps.ts';
import { dice, mutate } from './generate.ts';

const FORMATS: readonly Format[] = [cloudtrailFormat, s3AccessFormat, wafFormat, cloudtrailInsightFormat];
const NO_BYTES = new Uint8Array(0);

/** As the worker asks the formats. */
export const formatOf = (record: Uint8Array): string | null =>
  FORMATS.find((format) => format.sniff(record, '') === 'content')?.name ?? null;

interface Unwrapped {
  /** By format, in their order: the record and where its message begins. */
  readonly records: Readonly<Record<string, readonly (readonly [string, number])[]>>;
  readonly rejects: readonly unknown[];
}

/** Null when the bytes are not taken for envelopes. */
export function unwrapped(envelopes: Envelopes, slices: readonly Uint8Array[], isCut = false): Unwrapped | null {
  const unwrapper = envelopes.open(Buffer.concat(slices), formatOf);
  if (unwrapper === null) return null;
  const records: Record<string, [string, number][]> = {};
  const rejects: unknown[] = [];
  for (const [index, slice] of [...slices, NO_BYTES].entries()) {
    for (const piece of unwrapper.push(slice, index === slices.length, isCut)) {
      if ('reason' in piece) {
        rejects.push({ ...piece, text: Buffer.from(piece.text).toString('latin1') });
        continue;
      }
      const { format, bytes, starts, offsets } = piece;
      const text = Buffer.from(bytes).toString('latin1');
      const list = (records[format] ??= []);
      for (const [at, start] of starts.entries())
        list.push([text.slice(start, (starts[at + 1] ?? text.length) - 1), offsets[at] ?? -1]);
    }
  }
  return { records, rejects };
}

function sliced(file: Buffer, roll: (n: number) => number): Buffer[] {
  const slices: Buffer[] = [];
  // Tiny ones take long.
  const longest = 1 + roll(roll(8) === 0 ? 20 : file.length + 1);
  for (let at = 0; at < file.length; at += slices.at(-1)?.length ?? 1)
    slices.push(file.subarray(at, at + 1 + roll(longest)));
  return slices;
}

/** How many of these records are rows and how many rejects. */
function decoded(decoder: Decoder, records: readonly (readonly [string, number])[]): { rows: number; rejects: number } {
  decoder.begin({ ...FILE, isUnwrapped: true });
  const bytes = Buffer.from(records.map(([text]) => `${text}\n`).join(''), 'latin1');
  if (decoder.push(bytes, false) === 'full' || decoder.push(NO_BYTES, true) === 'full')
    throw new Error('a few records fill no window');
  const { rows } = decoder.batch();
  const { recordsIn } = decoder.end();
  decoder.reset();
  return { rows, rejects: recordsIn - rows };
}

/** What stands between messages, and around all of them; and, where it is, before each. */
const LAYOUTS: Readonly<Record<string, { before?: string; open?: string; between: string; close?: string }>> = {
  lines: { between: '\n' },
  'lines of a PC': { between: ' \r\n' },
  'nothing between': { between: '' },
  commas: { between: ',\n' },
  list: { open: '[', between: ',', close: ']' },
  'broken list': { open: '[\n  ', between: ' ,\n  ', close: '\n]\n' },
  exported: { before: '2024-05-07T10:00:00.123Z ', between: '\n' },
};

interface Case {
  readonly chain: readonly string[];
  readonly layout: string;
  readonly kinds: readonly ('call' | 'waf' | 'access')[];
  readonly damaged: number;
  readonly seed: number;
}

const KINDS = { call, waf, access } as const;

const damagedFile: fc.Arbitrary<Case> = fc.record({
  chain: fc.array(fc.constantFrom(...Object.keys(WRAPS)), { minLength: 1, maxLength: 3 }),
  layout: fc.constantFrom(...Object.keys(LAYOUTS)),
  kinds: fc.array(fc.constantFrom('call', 'waf', 'access'), { minLength: 2, maxLength: 5 }),
  damaged: fc.nat(4),
  seed: fc.nat(),
});

export interface Sums {
  /** Of what was damaged. */
  records: number;
  rejects: number;
}

/** Checks so many damaged messages. Returns how often damage cost a record, and how often it did not. */
export async function checkDamaged(count: number, perFile: number): Promise<Sums> {
  const values = await loadEnvelopeValues();
  const envelopes = createEnvelopes({ recordBytes: LIMITS.recordBytes, values });
  /** Most messages are too large for this one. */
  const narrow = createEnvelopes({ recordBytes: 500, values });
  const decoders = new Map<string, Decoder>();
  for (const format of FORMATS) decoders.set(format.name, await decoderOf(LIMITS, format));
  const sums = { records: 0, rejects: 0 };

  const check = (file: Buffer, intact: readonly string[], messages: number, roll: (n: number) => number): void => {
    const whole = unwrapped(envelopes, [file]);
    if (whole === null) throw new Error(`not taken for envelopes: ${file.toString('latin1')}`);
    deepStrictEqual(unwrapped(envelopes, sliced(file, roll)), whole);
    if (roll(4) === 0) {
      const part = file.subarray(0, roll(file.length));
      deepStrictEqual(unwrapped(envelopes, sliced(part, roll), true), unwrapped(envelopes, [part], true));
      deepStrictEqual(unwrapped(narrow, sliced(file, roll)), unwrapped(narrow, [file]));
    }

    const all = Object.values(whole.records).flat();
    const texts = new Set(all.map(([text]) => text));
    const lost = intact.filter((record) => !texts.has(record));
    if (lost.length > 0) throw new Error(`lost ${lost.join('\n')}\nof ${file.toString('latin1')}`);
    // Whatever is left of the damaged message counts, be it nothing but a reject.
    const outcomes = all.length + whole.rejects.length;
    if (outcomes < messages)
      throw new Error(
        `${messages} messages came in, ${outcomes} records and rejects out of ${file.toString('latin1')}`,
      );
    for (const [name, records] of Object.entries(whole.records)) {
      const decoder = decoders.get(name);
      if (decoder === undefined) throw new Error(`no decoder of ${name}`);
      const { rows, rejects } = decoded(decoder, records);
      deepStrictEqual([name, rows + rejects], [name, records.length]);
    }
    sums.records += all.length - intact.length;
    sums.rejects += whole.rejects.length;
  };

  fc.assert(
    fc.property(damagedFile, ({ chain, layout, kinds, damaged, seed }) => {
      const roll = dice(seed);
      const records = kinds.map((kind, id) => KINDS[kind](id));
      const { before = '', open = '', between, close = '' } = LAYOUTS[layout] ?? { between: '\n' };
      const messages = records.map((record) => Buffer.from(wrapped(record, chain)));
      const victim = damaged % messages.length;
      const intact = records.filter((_, at) => at !== victim);
      for (let times = 0; times < perFile; times++) {
        const parts = messages.flatMap((message, at) => [
          Buffer.from(at === 0 ? open : between),
          Buffer.from(before),
          at === victim ? mutate(message, roll) : message,
        ]);
        check(Buffer.concat([...parts, Buffer.from(close)]), intact, messages.length, roll);
      }
    }),
    { numRuns: Math.ceil(count / perFile) },
  );
  return sums;
}
