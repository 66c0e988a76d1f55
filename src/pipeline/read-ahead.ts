/** Reads a stream ahead of a thread that asks for it piece by piece. */

/** Held at most, and given at once: enough for a thread to work on while the next ones arrive. */
const AHEAD_BYTES = 4 * 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

export interface StreamPiece {
  /** In memory of its own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly last: boolean;
}

export class ReadAhead {
  readonly #open: () => Promise<AsyncIterable<Uint8Array>>;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #state: 'closed' | 'reading' | 'ended' = 'closed';
  #error: Error | null = null;
  #arrived: (() => void) | null = null;
  #room: (() => void) | null = null;

  /** The stream is opened when its first piece is asked for. */
  constructor(open: () => Promise<AsyncIterable<Uint8Array>>) {
    this.#open = open;
  }

  /** What has arrived by now, at least something. Throws what the stream failed with, once all before it was given. */
  async next(): Promise<StreamPiece> {
    if (this.#state === 'closed') {
      this.#state = 'reading';
      void this.#read();
    }
    while (this.#bytes === 0 && this.#state === 'reading') {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    if (this.#bytes === 0 && this.#error !== null) throw this.#error;
    const bytes = this.#take();
    this.#room?.();
    return { bytes, last: this.#bytes === 0 && this.#state === 'ended' && this.#error === null };
  }

  async #read(): Promise<void> {
    try {
      for await (const chunk of await this.#open()) {
        this.#chunks.push(chunk);
        this.#bytes += chunk.length;
        this.#arrived?.();
        if (this.#bytes >= AHEAD_BYTES) {
          await new Promise<void>((resolve) => {
            this.#room = resolve;
          });
        }
      }
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
    }
    this.#state = 'ended';
    this.#arrived?.();
  }

  #take(): Uint8Array<ArrayBuffer> {
    let length = 0;
    let count = 0;
    for (const chunk of this.#chunks) {
      if (count > 0 && length + chunk.length > PIECE_BYTES) break;
      length += chunk.length;
      count++;
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const chunk of this.#chunks.splice(0, count)) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    this.#bytes -= length;
    return bytes;
  }
}
