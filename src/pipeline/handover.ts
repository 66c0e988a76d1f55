/** A bounded queue between two tasks of one thread: one reads ahead while the other waits for somebody else. */
export class Handover<T> {
  #bytesMax: number;
  readonly #queued: { readonly item: T; readonly bytes: number }[] = [];
  /** Of what is queued, and of what was taken last. */
  #bytes = 0;
  #takenBytes = 0;
  #isOver = false;
  #failure: Error | null = null;
  readonly #waiting = new Set<() => void>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Resolves when there is room for more: what was taken last counts until the next is asked for. False when nobody will take any more. */
  async put(item: T, bytes: number): Promise<boolean> {
    this.#queued.push({ item, bytes });
    this.#bytes += bytes;
    this.#wake();
    while (this.#bytes >= this.#bytesMax && !this.#isOver) await this.#change();
    return !this.#isOver;
  }

  /** Null when no more will come. Throws what end() was given, once all before it was taken. */
  async take(): Promise<T | null> {
    this.#bytes -= this.#takenBytes;
    this.#takenBytes = 0;
    this.#wake();
    for (;;) {
      const next = this.#queued.shift();
      if (next !== undefined) {
        this.#takenBytes = next.bytes;
        return next.item;
      }
      if (this.#failure !== null) throw this.#failure;
      if (this.#isOver) return null;
      await this.#change();
    }
  }

  /** Changes how much room there is. */
  widen(bytesMax: number): void {
    this.#bytesMax = bytesMax;
    this.#wake();
  }

  /** From either side: nothing more will be put, or taken. */
  end(failure: Error | null = null): void {
    this.#failure ??= failure;
    this.#isOver = true;
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
