/** A store in memory: what hunting needs of it, with events in place of segments' files. */
import type { Alert } from '../../src/alert.ts';
import type { Backend } from '../../src/backend.ts';
import { type CountRow, SLOT_COUNT } from '../../src/hunt.ts';
import type { Commit, HuntKey, RecordedHunt, Segment, SlotCounts, Store, Suppression } from '../../src/store.ts';
import { DAY_MS } from '../../src/time.ts';
import { fill, fillCounts, openStreamBackend, type StreamEvent, timeOf } from './streams.ts';

const keyOf = (key: HuntKey): string => JSON.stringify([key.detector, key.version, key.parametersHash]);
const unused = (): never => {
  throw new Error('a hunt does not need this');
};

export class MemoryStore implements Store {
  readonly dir = '/nowhere';
  readonly known = new Map<string, Alert>();
  readonly seqs = new Map<string, number>();
  readonly kept: Suppression[] = [];
  readonly #segments: { readonly segment: Segment; readonly events: readonly StreamEvent[] }[] = [];
  readonly #counts: {
    readonly segment: Segment;
    readonly keys: readonly string[];
    readonly of: readonly string[];
    readonly rows: readonly CountRow[];
  }[] = [];
  #seq = 0;

  /** One commit of these events, a segment per day. */
  commit(events: readonly StreamEvent[]): void {
    this.#seq += 1;
    const seq = this.#seq;
    for (const day of new Set(events.map((event) => Math.floor(timeOf(event) / DAY_MS)))) {
      const own = events.filter((event) => Math.floor(timeOf(event) / DAY_MS) === day);
      const times = own.map(timeOf);
      const segment: Segment = {
        table: 'cloudtrail',
        eventDate: new Date(day * DAY_MS).toISOString().slice(0, 10),
        path: `${seq}-${day}`,
        rows: own.length,
        sizeBytes: 1,
        minTimeMs: Math.min(...times),
        maxTimeMs: Math.max(...times),
        seq,
        schemaVersion: 1,
      };
      this.#segments.push({ segment, events: own });
    }
  }

  readonly openBackend = async (tables: readonly { readonly segments: readonly Segment[] }[]): Promise<Backend> => {
    const paths = new Set(tables.flatMap(({ segments }) => segments).map(({ path }) => path));
    const backend = await openStreamBackend();
    await fill(
      backend,
      this.#segments.filter(({ segment }) => paths.has(segment.path)).flatMap(({ events }) => events),
    );
    await fillCounts(
      backend,
      this.#counts.filter(({ segment }) => paths.has(segment.path)).flatMap(({ rows }) => rows),
    );
    return backend;
  };

  async segments(
    _: unknown,
    { fromMs, toMs, afterSeq }: { readonly fromMs?: number; readonly toMs?: number; readonly afterSeq?: number } = {},
  ): Promise<readonly Segment[]> {
    return this.#segments
      .map(({ segment }) => segment)
      .filter(
        ({ minTimeMs, maxTimeMs, seq }) =>
          (fromMs ?? -Infinity) <= (maxTimeMs ?? 0) && (minTimeMs ?? 0) < (toMs ?? Infinity) && seq > (afterSeq ?? 0),
      );
  }

  readonly slotCounts: SlotCounts = {
    find: async (_, segments, keys) => {
      const live = new Set(segments.map(({ path }) => path));
      const files = this.#counts.filter(
        ({ of, keys: held }) => keys.every((key) => held.includes(key)) && of.every((path) => live.has(path)),
      );
      const done = new Set(files.flatMap(({ of }) => of));
      return {
        files: files.map(({ segment }) => segment),
        missing: segments.filter(({ path }) => !done.has(path)),
      };
    },
    add: async (_, segments, keys, rows) => {
      const segment = { ...(segments[0] as Segment), table: SLOT_COUNT.name, path: `counts-${this.#counts.length}` };
      this.#counts.push({ segment, keys, of: segments.map(({ path }) => path), rows });
      return segment;
    },
  };

  async commits(_: unknown, afterSeq: number): Promise<readonly Commit[]> {
    const seqs = [...new Set(this.#segments.map(({ segment }) => segment.seq))].filter((seq) => seq > afterSeq);
    return seqs.map((seq) => {
      const own = this.#segments.filter(({ segment }) => segment.seq === seq).map(({ segment }) => segment);
      return {
        seq,
        table: 'cloudtrail',
        minTimeMs: Math.min(...own.map(({ minTimeMs }) => minTimeMs ?? 0)),
        maxTimeMs: Math.max(...own.map(({ maxTimeMs }) => maxTimeMs ?? 0)),
      };
    });
  }

  async lastSeq(): Promise<number> {
    return this.#seq;
  }

  async huntSeqs(keys: readonly HuntKey[]): Promise<readonly number[]> {
    return keys.map((key) => this.seqs.get(keyOf(key)) ?? 0);
  }

  async recordHunt({ alerts, withdrawn, seqs }: Parameters<Store['recordHunt']>[0]): Promise<RecordedHunt> {
    const fresh = new Set(alerts.map(({ id }) => id).filter((id) => !this.known.has(id)));
    const statuses = new Map<string, Alert['status']>();
    for (const alert of alerts) {
      const known = this.known.get(alert.id)?.status;
      const status = known === 'acknowledged' || known === 'closed' ? known : alert.status;
      statuses.set(alert.id, status);
      this.known.set(alert.id, { ...alert, status, new: false });
    }
    for (const id of withdrawn) {
      const alert = this.known.get(id);
      if (alert !== undefined) this.known.set(id, { ...alert, status: 'withdrawn' });
    }
    for (const { key, seq } of seqs) this.seqs.set(keyOf(key), seq);
    return { fresh, statuses };
  }

  async alerts({ detector, statuses, fromMs, toMs }: Parameters<Store['alerts']>[0]): Promise<readonly Alert[]> {
    return [...this.known.values()].filter(
      (alert) =>
        (detector === undefined || alert.detector === detector) &&
        (statuses === undefined || statuses.includes(alert.status)) &&
        (fromMs === undefined || Date.parse(alert.last_seen) >= fromMs) &&
        (toMs === undefined || Date.parse(alert.first_seen) < toMs),
    );
  }

  async suppressions(): Promise<readonly Suppression[]> {
    return this.kept;
  }

  readonly status = unused;
  readonly withoutTime = unused;
  readonly rejects = unused;
  readonly snapshot = unused;
  readonly alertOutlines = unused;
  readonly alert = unused;
  readonly setAlertStatus = unused;
  readonly alertHistory = unused;
  readonly suppressionUses = unused;
  readonly addSuppression = unused;
  readonly removeSuppression = unused;
  get outbox(): never {
    return unused();
  }
  get watching(): never {
    return unused();
  }
  readonly close = async (): Promise<void> => undefined;
}
