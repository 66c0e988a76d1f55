/** Which commit units may become visible: a unit waits for those that hold the first copy of one of its duplicates. */
import type { CommitUnit } from '../ingest.ts';

export class CommitQueue {
  readonly #ready = new Map<number, CommitUnit>();
  readonly #waitsFor = new Map<number, Set<number>>();
  readonly #committed = new Set<number>();
  /** Log files that no unit holds yet and of which a ready unit has copies. */
  readonly #originals = new Map<number, Set<number>>();
  /** By log file, until it is committed. */
  readonly #holders = new Map<number, number>();

  dependsOn(unit: number, others: readonly number[]): void {
    for (const other of others) {
      if (other === unit || this.#committed.has(other)) continue;
      const waits = this.#waitsFor.get(unit);
      if (waits === undefined) this.#waitsFor.set(unit, new Set([other]));
      else waits.add(other);
    }
  }

  /** All of the unit is staged. `originals` are log files of this run, not committed yet, of which it has copies: it waits for the units that hold them, too. */
  ready(unit: number, content: CommitUnit, originals: readonly number[] = []): void {
    this.#ready.set(unit, content);
    for (const { logFile } of content.files) this.#holders.set(logFile, unit);
    if (originals.length > 0) this.#originals.set(unit, new Set(originals));
    for (const [waiting, files] of this.#originals) {
      for (const file of files) {
        const holder = this.#holders.get(file);
        if (holder === undefined) continue;
        this.dependsOn(waiting, [holder]);
        files.delete(file);
      }
      if (files.size === 0) this.#originals.delete(waiting);
    }
  }

  /** Takes out every unit all of whose dependencies, of theirs too, are ready or committed. Units that wait for each other leave together. */
  takeComplete(): [number, CommitUnit][] {
    const complete = new Map<number, boolean>();
    const taken: [number, CommitUnit][] = [];
    for (const [unit, content] of this.#ready) if (this.#isComplete(unit, complete)) taken.push([unit, content]);
    for (const [unit] of taken) this.#ready.delete(unit);
    return taken;
  }

  committed(unit: number, { files }: CommitUnit): void {
    this.#committed.add(unit);
    this.#waitsFor.delete(unit);
    for (const { logFile } of files) this.#holders.delete(logFile);
  }

  #isComplete(unit: number, known: Map<number, boolean>): boolean {
    const before = known.get(unit);
    if (before !== undefined) return before;
    const seen = new Set<number>();
    const open = [unit];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next) || this.#committed.has(next)) continue;
      seen.add(next);
      if (!this.#ready.has(next) || this.#originals.has(next) || known.get(next) === false) {
        known.set(unit, false);
        return false;
      }
      open.push(...(this.#waitsFor.get(next) ?? []));
    }
    for (const one of seen) known.set(one, true);
    return true;
  }
}
