/** The messages that a worker thread was sent and has not looked at. */
import { AppError } from '../errors.ts';
import type { ToWorker } from '../ingest.ts';

type Message<T extends ToWorker['type']> = Extract<ToWorker, { type: T }>;

/** Messages by type. Several tasks may wait, each for another type. */
export class Mailbox {
  readonly #arrived: ToWorker[] = [];
  readonly #waiting = new Set<() => void>();
  stopped = false;

  put(message: ToWorker): void {
    if (message.type === 'stop') this.stopped = true;
    else this.#arrived.push(message);
    for (const wake of this.#waiting) wake();
  }

  /** Whoever waits, or will, is told that it was stopped. */
  stop(): void {
    this.put({ type: 'stop' });
  }

  /** Has a message of this type arrived that nobody took? */
  has(type: ToWorker['type']): boolean {
    return this.#arrived.some((message) => message.type === type);
  }

  /** The first message of this type that is wanted. Throws `interrupted` after a stop. */
  async take<T extends ToWorker['type']>(
    type: T,
    isWanted: (message: Message<T>) => boolean = () => true,
  ): Promise<Message<T>> {
    for (;;) {
      const message = await this.takeSoon(type, Number.POSITIVE_INFINITY, isWanted);
      if (message !== null) return message;
    }
  }

  /** Null when none came within `idleMs`. Throws `interrupted` after a stop. */
  async takeSoon<T extends ToWorker['type']>(
    type: T,
    idleMs: number,
    isWanted: (message: Message<T>) => boolean = () => true,
  ): Promise<Message<T> | null> {
    for (;;) {
      if (this.stopped) throw new AppError('interrupted', 'the worker was asked to stop');
      const at = this.#arrived.findIndex((message) => message.type === type && isWanted(message as Message<T>));
      const [message] = at < 0 ? [] : this.#arrived.splice(at, 1);
      if (message !== undefined) return message as Message<T>;
      if (!(await this.#changed(idleMs))) return null;
    }
  }

  /** False when nothing came within `idleMs`. */
  #changed(idleMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (came: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(came);
      };
      const wake = (): void => end(true);
      this.#waiting.add(wake);
      if (idleMs !== Number.POSITIVE_INFINITY) timer = setTimeout(() => end(false), idleMs);
    });
  }
}
