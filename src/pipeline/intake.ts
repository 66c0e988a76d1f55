/** How the bytes of one log file reach the lanes: as they are, or out of envelopes. */
import type { Unwrapper } from '../envelope.ts';
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

/** A file of envelopes: its records may be of several formats. */
export class WrappedIntake implements Intake {
  overflowed = false;
  readonly #file: OpenFile;
  readonly #unwrapper: Unwrapper;
  readonly #laneOf: (format: string) => Promise<Lane>;
  readonly #unit: number;
  /** Lanes that the file has rows in, in the order of their first record. */
  readonly #lanes = new Map<string, Lane>();
  #rejects: Reject[] = [];
  #rejected = 0;
  /** Of the envelope read last. */
  #offset = 0;

  constructor(file: OpenFile, unwrapper: Unwrapper, laneOf: (format: string) => Promise<Lane>, unit: number) {
    this.#file = file;
    this.#unwrapper = unwrapper;
    this.#laneOf = laneOf;
    this.#unit = unit;
  }

  async push(bytes: Uint8Array, last: boolean): Promise<void> {
    for (const piece of this.#unwrapper.push(bytes, last)) {
      this.#offset = piece.offset;
      if ('reason' in piece) this.#reject({ ...piece, recordNo: 0 });
      else {
        const lane = await this.#lane(piece.format);
        if (await lane.push(piece.bytes, false, this.#unit)) this.overflowed = true;
        this.#rejectAll(lane.takeRejects());
      }
    }
    if (!last) return;
    for (const lane of this.#lanes.values()) {
      if (await lane.push(NO_BYTES, true, this.#unit)) this.overflowed = true;
    }
  }

  takeRejects(): readonly Reject[] {
    const taken = this.#rejects;
    this.#rejects = [];
    return taken;
  }

  end(): FileOutcome {
    const kinds: ContentKind[] = [];
    let recordsIn = this.#rejected;
    for (const lane of this.#lanes.values()) {
      const outcome = lane.end();
      kinds.push(outcome.kind);
      recordsIn += outcome.recordsIn;
      this.#rejectAll(outcome.rejects);
    }
    const [kind = this.#rejected === 0 ? 'empty' : 'other'] = kinds;
    return { kind: kinds.includes('log') ? 'log' : kind, recordsIn, rejects: this.takeRejects() };
  }

  async #lane(format: string): Promise<Lane> {
    const known = this.#lanes.get(format);
    if (known !== undefined) return known;
    const lane = await this.#laneOf(format);
    lane.begin(this.#file);
    this.#lanes.set(format, lane);
    return lane;
  }

  /** Inside an envelope, only the envelope has a place in the file. */
  #rejectAll(rejects: readonly Reject[]): void {
    for (const reject of rejects) this.#reject({ ...reject, offset: this.#offset });
  }

  /** Numbered among the rejects: records of several formats have no common order. */
  #reject(reject: Reject): void {
    this.#rejects.push({ ...reject, recordNo: this.#rejected++ });
  }
}
