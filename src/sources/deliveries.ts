/** Messages that were received and not deleted yet: which log files each waits for, hidden from others meanwhile, deleted when all of them are stored. */
import { AppError } from '../errors.ts';
import type { LogFile, Settlement } from '../source.ts';
import { BATCH_MAX, isDenied, type Message, type Queue, queueError, type Refused } from './queue.ts';

/** After a crash a message comes again so late at the most; a commit takes seconds, and what takes longer is hidden again. */
export const HIDDEN_SECONDS = 120;
/** Hidden again while more than half of that time is left, so that a slow request is no loss. */
const HIDE_EVERY_MS = 20_000;
const HIDE_BELOW_MS = HIDDEN_SECONDS * 750;
/** Requests of a kind at a time. */
const REQUESTS_MAX = 8;
const DELETE_TRIES = 6;
const BACKOFF_MS = 200;
/** SQS delivers a message again within minutes if at all: log files stored lately need not be asked for again. */
const RECENT_MAX = 20_000;

interface Held {
  /** As it was received last: only the newest receipt deletes a message. */
  message: Message;
  unsettled: number;
  /** Not to be deleted: it comes again. */
  isKept: boolean;
  hiddenUntilMs: number;
  tries: number;
}

export class Deliveries {
  readonly #queue: Queue;
  readonly #warn: (message: string) => void;
  readonly #onChange: () => void;
  readonly #held = new Map<string, Held>();
  /** By log file, the messages that name it. */
  readonly #waiting = new Map<string, Held[]>();
  readonly #recent = new Set<string>();
  #done: Held[] = [];
  #deleting: Promise<void> | null = null;
  #hiding: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #bytes = 0;
  #stale = 0;
  readonly #undeleted = new Map<string, number>();
  #warnedOfHiding = false;
  /** Why nothing can be deleted. */
  failure: AppError | null = null;

  /** `onChange` is called when messages have gone, and when there is a failure. */
  constructor(queue: Queue, warn: (message: string) => void, onChange: () => void) {
    this.#queue = queue;
    this.#warn = warn;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Of the bodies in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes over a message, with all log files that it names. Returns those that nobody reads yet; what becomes of them settles the message. */
  take(message: Message, files: readonly LogFile[]): readonly LogFile[] {
    this.#timer ??= setInterval(() => {
      this.#hiding = this.#hiding.then(() => this.#hideAgain());
    }, HIDE_EVERY_MS);
    const hiddenUntilMs = Date.now() + HIDDEN_SECONDS * 1000;
    const before = this.#held.get(message.id);
    if (before !== undefined) {
      Object.assign(before, { message, hiddenUntilMs });
      return [];
    }
    const held: Held = { message, unsettled: files.length, isKept: false, hiddenUntilMs, tries: 0 };
    this.#held.set(message.id, held);
    this.#bytes += message.body.length;
    const fresh = files.filter((file) => {
      const id = idOf(file);
      if (this.#recent.has(id)) {
        held.unsettled--;
        return false;
      }
      const waiting = this.#waiting.get(id);
      waiting?.push(held);
      if (waiting === undefined) this.#waiting.set(id, [held]);
      return waiting === undefined;
    });
    this.#endIfSettled(held);
    return fresh.map((file) => this.#watched(file));
  }

  /** A log file that no message names; null when a message did so already. */
  adopt(file: LogFile): LogFile | null {
    const id = idOf(file);
    if (this.#recent.has(id) || this.#waiting.has(id)) return null;
    this.#waiting.set(id, []);
    return this.#watched(file);
  }

  /** Gives messages back at once, whose log files were not listed after all. */
  async giveBack(files: readonly LogFile[]): Promise<void> {
    const messages = new Set<Message>();
    for (const file of files) {
      for (const held of this.#waiting.get(idOf(file)) ?? []) {
        held.isKept = true;
        messages.add(held.message);
        this.#forget(held);
      }
      this.#waiting.delete(idOf(file));
    }
    await inBatches([...messages], (batch) =>
      // They come again by themselves, only later.
      this.#queue.hide(batch, 0).then(
        () => undefined,
        () => undefined,
      ),
    );
  }

  /** Deletes what is stored. Throws what could not be deleted. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    while (this.#deleting !== null) await this.#deleting;
    await this.#hiding;
    if (this.failure !== null) throw this.failure;
    const { name } = this.#queue;
    if (this.#stale > 0)
      this.#warn(
        `${this.#stale} messages of ${name} had become visible again: they come once more, and are recognised`,
      );
    const [first] = this.#undeleted;
    if (first === undefined) return;
    const total = [...this.#undeleted.values()].reduce((sum, count) => sum + count, 0);
    throw new AppError('source-unreadable', `cannot delete ${total} messages of ${name}: ${first[0]}`, {
      hint: 'Their log files are in the store: when the messages come again, they are recognised and deleted.',
    });
  }

  #watched(file: LogFile): LogFile {
    return { ...file, settled: (settlement) => this.#settle(idOf(file), settlement) };
  }

  #settle(id: string, { outcome }: Settlement): void {
    const waiting = this.#waiting.get(id) ?? [];
    this.#waiting.delete(id);
    if (outcome === 'stored') this.#remember(id);
    for (const held of waiting) {
      held.unsettled--;
      if (outcome === 'failed') held.isKept = true;
      this.#endIfSettled(held);
    }
  }

  #remember(id: string): void {
    this.#recent.add(id);
    if (this.#recent.size <= RECENT_MAX) return;
    const [oldest = ''] = this.#recent;
    this.#recent.delete(oldest);
  }

  #endIfSettled(held: Held): void {
    if (held.unsettled > 0 || this.#held.get(held.message.id) !== held) return;
    if (held.isKept) this.#forget(held);
    else {
      this.#done.push(held);
      this.#deleting ??= this.#deleteAll();
    }
  }

  #forget(held: Held): void {
    if (!this.#held.delete(held.message.id)) return;
    this.#bytes -= held.message.body.length;
    this.#onChange();
  }

  async #deleteAll(): Promise<void> {
    // A commit settles many at once: they share requests.
    await Promise.resolve();
    while (this.#done.length > 0 && this.failure === null) {
      const again: Held[] = [];
      await inBatches(this.#done.splice(0), (batch) => this.#delete(batch, again));
      if (again.length === 0) continue;
      const waitMs = BACKOFF_MS * 2 ** Math.max(...again.map(({ tries }) => tries));
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      this.#done.push(...again);
    }
    this.#deleting = null;
  }

  async #delete(batch: readonly Held[], again: Held[]): Promise<void> {
    const messages = batch.map(({ message }) => message);
    let refused: readonly Refused[];
    try {
      refused = await this.#queue.delete(messages);
    } catch (error) {
      const reason = queueError(error, `delete messages of ${this.#queue.name}`);
      if (isDenied(error) || reason.code !== 'source-unreadable') {
        this.failure ??= reason;
        this.#onChange();
        return;
      }
      refused = messages.map((message) => ({ message, reason: reason.message, final: false }));
    }
    for (const held of batch) {
      const refusal = refused.find(({ message }) => message === messages[batch.indexOf(held)]);
      if (refusal !== undefined && !refusal.final && ++held.tries < DELETE_TRIES) {
        again.push(held);
        continue;
      }
      if (refusal?.final === true) this.#stale++;
      else if (refusal !== undefined)
        this.#undeleted.set(refusal.reason, (this.#undeleted.get(refusal.reason) ?? 0) + 1);
      this.#forget(held);
    }
  }

  async #hideAgain(): Promise<void> {
    const dueMs = Date.now() + HIDE_BELOW_MS;
    const due = [...this.#held.values()].filter(({ hiddenUntilMs }) => hiddenUntilMs < dueMs);
    await inBatches(due, async (batch) => {
      const hiddenUntilMs = Date.now() + HIDDEN_SECONDS * 1000;
      try {
        const messages = batch.map(({ message }) => message);
        const refused = await this.#queue.hide(messages, HIDDEN_SECONDS);
        for (const held of batch) {
          const refusal = refused.find(({ message }) => message === held.message);
          if (refusal === undefined) held.hiddenUntilMs = hiddenUntilMs;
          // Twelve hours are the most that SQS hides a message.
          else if (refusal.final) held.hiddenUntilMs = Number.POSITIVE_INFINITY;
        }
      } catch (error) {
        if (!this.#warnedOfHiding) this.#warn(queueError(error, `hide messages of ${this.#queue.name}`).message);
        this.#warnedOfHiding = true;
      }
    });
  }
}

function idOf({ key, version }: LogFile): string {
  return `${key}\n${version}`;
}

async function inBatches<Item>(items: readonly Item[], use: (batch: Item[]) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const from = next;
      next += BATCH_MAX;
      await use(items.slice(from, from + BATCH_MAX));
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_MAX }, worker));
}
