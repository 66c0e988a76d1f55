/** Fetches contents that lie behind a network ahead of the threads, several at once and in bounded memory. */
import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import type { Content } from '../source.ts';

/** Requests at a time: with 20 ms to each answer, enough for what two threads read of files of some records. */
const REQUESTS_MAX = 64;

type NetworkContent = Extract<Content, { type: 'object' }>;

/** What arrived, or why nothing did. */
export type Fetched =
  | { readonly bytes: Uint8Array<ArrayBuffer>; readonly error: null }
  | { readonly bytes: null; readonly error: Error };

export class Fetcher {
  readonly #limit = pLimit(REQUESTS_MAX);
  readonly #bytesMax: number;
  readonly #signal: AbortSignal;
  readonly #running = new Set<Promise<void>>();
  /** Of contents that are on their way or wait for a thread. */
  #bytes = 0;
  #room: (() => void) | null = null;

  constructor(bytesMax: number, signal: AbortSignal) {
    this.#bytesMax = bytesMax;
    this.#signal = signal;
    // Each request listens for its end.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', () => this.#makeRoom(), { once: true });
  }

  /** Resolves as soon as there is room for a content of this size; it is fetched meanwhile, and `take` is called with it. */
  async fetch(content: NetworkContent, sizeBytes: number, take: (fetched: Fetched) => Promise<void>): Promise<void> {
    while (!this.#signal.aborted && this.#bytes > 0 && this.#bytes + sizeBytes > this.#bytesMax) await this.#roomMade();
    while (!this.#signal.aborted && this.#limit.pendingCount > 0) await this.#roomMade();
    if (this.#signal.aborted) return;
    this.#bytes += sizeBytes;
    const running = this.#limit(() => this.#read(content)).then(take);
    const ended = running.then(() => {
      this.#running.delete(ended);
      this.#makeRoom();
    });
    this.#running.add(ended);
    // A failure is told by idle().
    ended.catch(() => undefined);
  }

  /** A thread took a content of this size. */
  taken(sizeBytes: number): void {
    this.#bytes -= sizeBytes;
    this.#makeRoom();
  }

  /** Resolves when all that was asked for has been taken over. Throws what a `take` threw. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #read(content: NetworkContent): Promise<Fetched> {
    try {
      return { bytes: await content.read(this.#signal), error: null };
    } catch (error) {
      return { bytes: null, error: error instanceof Error ? error : new Error(String(error)) };
    }
  }

  #roomMade(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#room;
      this.#room = () => {
        before?.();
        resolve();
      };
    });
  }

  #makeRoom(): void {
    const room = this.#room;
    this.#room = null;
    room?.();
  }
}
