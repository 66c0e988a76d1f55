/** How the bytes of one log file reach the lanes: as they are, or record by record out of envelopes. */
import type { Piece, UnwrappedRecords, Unwrapper } from '../envelope.ts';
import type { ContentKind, FileOutcome, Reject } from '../format.ts';
import type { Lane } from './lane.ts';
import type { OpenFile } from './open-file.ts';

export interface Intake {
  /** Whether the file's rows began in a window that was written since. */
  readonly overflowed: boolean;
  /** `isCut`: the file broke off before its end. */
  push(bytes: Uint8Array, last: boolean, isCut?: boolean): Promise<void>;
  takeRejects(): readonly Reject[];
  /** After the last push. */
  end(): FileOutcome;
}

const NO_BYTES = new Uint8Array(0);

/** A file that one format decodes as it is. */
export class PlainIntake implements Intake {
  overflowed = false;
  readonly #lane: Lane;
  readonly #unit: number;

  constructor(file: OpenFile, lane: Lane, unit: number) {
    this.#lane = lane;
    this.#unit = unit;
    lane.begin(file);
  }

  async push(bytes: Uint8Array, last: boolean, isCut = false): Promise<void> {
    if (await this.#lane.push(bytes, last, this.#unit, isCut)) this.overflowed = true;
  }

  takeRejects(): readonly Reject[] {
    return this.#lane.takeRejects();
  }

  end(): FileOutcome {
    return this.#lane.end();
  }
}

interface LaneEntry {
  readonly lane: Lane;
  /** Bytes of the file's records that it was given before. */
  pushed: number;
}

/** Records of a file that several formats may have parts of, each with a line end behind it. */
export class RecordsIntake {
  overflowed = false;
  readonly #file: OpenFile;
  readonly #laneOf: (format: string) => Promise<Lane>;
  readonly #unit: number;
  /** Lanes that the file has rows in, in the order of their first record. */
  readonly #lanes = new Map<string, LaneEntry>();
  #rejects: Reject[] = [];
  /** Those that were rejected before a decoder saw them. */
  #rejected = 0;

  constructor(file: OpenFile, laneOf: (format: string) => Promise<Lane>, unit: number) {
    this.#file = file;
    this.#laneOf = laneOf;
    this.#unit = unit;
  }

  async take(piece: Piece): Promise<void> {
    if ('reason' in piece) {
      this.#rejects.push(piece);
      this.#rejected++;
    } else await this.#decode(piece);
  }

  /** After the last piece. */
  async finish(): Promise<void> {
    for (const { lane } of this.#lanes.values()) {
      if (await lane.push(NO_BYTES, true, this.#unit)) this.overflowed = true;
    }
  }

  async #decode({ format, bytes, starts, numbers, offsets }: UnwrappedRecords): Promise<void> {
    const entry = await this.#lane(format);
    if (await entry.lane.push(bytes, false, this.#unit)) this.overflowed = true;
    for (const reject of entry.lane.takeRejects()) {
      const record = lastAtOrBefore(starts, reject.offset - entry.pushed);
      this.#rejects.push({ ...reject, recordNo: numbers[record] ?? 0, offset: offsets[record] ?? 0 });
    }
    entry.pushed += bytes.length;
  }

  takeRejects(): readonly Reject[] {
    const taken = this.#rejects;
    this.#rejects = [];
    return taken;
  }

  end(): FileOutcome {
    const kinds: ContentKind[] = [];
    let recordsIn = this.#rejected;
    for (const { lane } of this.#lanes.values()) {
      const outcome = lane.end();
      kinds.push(outcome.kind);
      recordsIn += outcome.recordsIn;
    }
    const [kind = this.#rejected === 0 ? 'empty' : 'other'] = kinds;
    return { kind: kinds.includes('log') ? 'log' : kind, recordsIn, rejects: this.takeRejects() };
  }

  async #lane(format: string): Promise<LaneEntry> {
    const known = this.#lanes.get(format);
    if (known !== undefined) return known;
    const entry = { lane: await this.#laneOf(format), pushed: 0 };
    entry.lane.begin(this.#file, true);
    this.#lanes.set(format, entry);
    return entry;
  }
}

/** A file of envelopes. */
export class WrappedIntake implements Intake {
  readonly #unwrapper: Unwrapper;
  readonly #records: RecordsIntake;

  constructor(unwrapper: Unwrapper, records: RecordsIntake) {
    this.#unwrapper = unwrapper;
    this.#records = records;
  }

  get overflowed(): boolean {
    return this.#records.overflowed;
  }

  async push(bytes: Uint8Array, last: boolean, isCut = false): Promise<void> {
    for (const piece of this.#unwrapper.push(bytes, last, isCut)) await this.#records.take(piece);
    if (last) await this.#records.finish();
  }

  takeRejects(): readonly Reject[] {
    return this.#records.takeRejects();
  }

  end(): FileOutcome {
    return this.#records.end();
  }
}

/** Index of the last number that is not above `limit`, of numbers that rise from 0. */
function lastAtOrBefore(numbers: readonly number[], limit: number): number {
  let low = 0;
  for (let high = numbers.length; high - low > 1; ) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) <= limit) low = middle;
    else high = middle;
  }
  return low;
}
