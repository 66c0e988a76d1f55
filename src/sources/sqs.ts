/** A queue of SQS as a source: its messages name log files, or carry records. A message is deleted once all that it stands for is stored. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../errors.ts';
import { isForeign, parseFolder } from '../keys.ts';
import type { AwsOptions, ListingProblem, LogFile, Source } from '../source.ts';
import { DAY_MS } from '../time.ts';
import { Deliveries, HIDDEN_SECONDS } from './deliveries.ts';
import { type CreatedObject, readMessage } from './messages.ts';
import { BATCH_MAX, isDenied, type Message, openQueue, type Queue, queueError } from './queue.ts';
import { Roots } from './reconcile.ts';
import { openS3Source } from './s3.ts';
import { awsError, createS3Client } from './s3-client.ts';
import { askedObject, objectFile } from './s3-object.ts';

export interface QueueOptions {
  /** End when the queue is empty. */
  readonly once: boolean;
  /** List what was delivered in so many days for what no message named; null: do not. */
  readonly reconcileDays: number | null;
  /** Where to look besides the buckets that messages name, as `s3://bucket/prefix`. */
  readonly roots: readonly string[];
}

/** Enough to keep two threads busy while each message waits seconds for its commit; SQS lends 120,000 at a time. */
const HELD_MAX = 4000;
const HELD_BYTES_MAX = 64 * 1024 * 1024;
const RECEIVERS_MAX = 8;
/** The longest that SQS waits for a message. */
const WAIT_SECONDS = 20;
const WAIT_ONCE_SECONDS = 1;
const EMPTY_POLLS = 2;
/** Without an answer for so long the run ends, so that whoever watches it sees that it does nothing. */
const GIVE_UP_MS = 10 * 60_000;
const GIVE_UP_ONCE_MS = 30_000;
const RETRY_MS = 2000;
/** Of a run without an end: when the queue was first found empty, or so late at the most, and each day from then on. */
const RECONCILE_FIRST_MS = 10 * 60_000;
const RECONCILE_EVERY_MS = DAY_MS;
/** Of what was reconciled and waits to be read. */
const READY_MAX = 1000;
/** Messages that were named to a person, so that none is named each time it comes again. */
const NAMED_MAX = 10_000;

type Found = LogFile | ListingProblem;

/** Throws `usage-invalid`, `aws-credentials`, `source-missing`, `source-unreadable`. */
export async function openSqsSource(
  url: string,
  aws: AwsOptions,
  options: QueueOptions,
  warn: (message: string) => void,
): Promise<Source> {
  return queueSource(url, await openQueue(url, aws), aws, options, warn);
}

/** `name`: as the user wrote it. */
export function queueSource(
  name: string,
  queue: Queue,
  aws: AwsOptions,
  options: QueueOptions,
  warn: (message: string) => void,
): Source {
  const inbox = new Inbox(queue, aws, options, warn);
  return {
    name,
    paths: [],
    endless: true,
    // Which messages there are is not ours to choose: one that a scope leaves out could be neither deleted nor kept.
    list: (_scope, signal) => inbox.list(signal),
    close: () => inbox.close(),
  };
}

class Inbox {
  readonly #queue: Queue;
  readonly #aws: AwsOptions;
  readonly #options: QueueOptions;
  readonly #warn: (message: string) => void;
  readonly #deliveries: Deliveries;
  readonly #roots: Roots;
  readonly #named = new Set<string>();
  readonly #ended = new AbortController();
  #ready: Found[] = [];
  #client: Promise<S3Client> | null = null;
  readonly #receivers = new Set<Promise<void>>();
  #emptyPolls = 0;
  #failingSinceMs: number | null = null;
  #failure: Error | null = null;
  #reconciling = false;
  #reconciled = false;
  #reconcileDueMs = Date.now() + RECONCILE_FIRST_MS;
  #changed: (() => void)[] = [];

  constructor(queue: Queue, aws: AwsOptions, options: QueueOptions, warn: (message: string) => void) {
    this.#queue = queue;
    this.#aws = aws;
    this.#options = options;
    this.#warn = warn;
    this.#roots = new Roots(options.roots);
    this.#deliveries = new Deliveries(queue, warn, () => this.#change());
  }

  async *list(signal: AbortSignal): AsyncGenerator<Found, void, undefined> {
    const end = (): void => {
      this.#ended.abort();
      this.#change();
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    this.#addReceiver();
    try {
      while (!this.#ended.signal.aborted) {
        const failure = this.#failure ?? this.#deliveries.failure;
        if (failure !== null) throw failure;
        const next = this.#ready.shift();
        if (next !== undefined) {
          yield next;
          if (this.#ready.length === 0) this.#change();
        } else if (this.#receivers.size > 0 || this.#reconciling) await this.#nextChange();
        else if (!this.#reconcile()) return;
      }
    } finally {
      signal.removeEventListener('abort', end);
      end();
      await Promise.all(this.#receivers);
      await this.#deliveries.giveBack(this.#ready.flatMap((found) => ('error' in found ? [] : [found])));
      this.#ready = [];
    }
  }

  async close(): Promise<void> {
    this.#ended.abort();
    this.#change();
    try {
      await this.#deliveries.close();
    } finally {
      (await this.#client)?.destroy();
      this.#queue.close();
    }
  }

  #change(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed.push(resolve);
    });
  }

  // Receiving

  #addReceiver(): void {
    if (this.#receivers.size >= RECEIVERS_MAX) return;
    const running = this.#receive()
      .catch((error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#receivers.delete(running);
        this.#change();
      });
    this.#receivers.add(running);
  }

  /** Until the end, or until there is less to do than the others can. */
  async #receive(): Promise<void> {
    const { once } = this.#options;
    const { signal } = this.#ended;
    while (!signal.aborted && this.#failure === null) {
      if (!this.#hasRoom()) {
        await this.#nextChange();
        continue;
      }
      const messages = await this.#poll(once ? WAIT_ONCE_SECONDS : WAIT_SECONDS);
      if (messages === null) continue;
      if (!once && (Date.now() >= this.#reconcileDueMs || (messages.length === 0 && !this.#reconciled)))
        this.#reconcile();
      if (messages.length > 0) {
        this.#emptyPolls = 0;
        if (messages.length === BATCH_MAX) this.#addReceiver();
        await Promise.all(messages.map((message) => this.#take(message)));
        this.#change();
        continue;
      }
      this.#emptyPolls++;
      if (this.#receivers.size > 1 || (once && this.#emptyPolls >= EMPTY_POLLS)) return;
    }
  }

  #hasRoom(): boolean {
    const coming = this.#receivers.size * BATCH_MAX;
    return this.#deliveries.size + coming <= HELD_MAX && this.#deliveries.bytes <= HELD_BYTES_MAX;
  }

  /** Null when there was no answer and it is worth to ask again. */
  async #poll(waitSeconds: number): Promise<readonly Message[] | null> {
    const { signal } = this.#ended;
    try {
      const messages = await this.#queue.receive(waitSeconds, HIDDEN_SECONDS, signal);
      this.#failingSinceMs = null;
      return messages;
    } catch (error) {
      if (signal.aborted) return null;
      const reason = queueError(error, `receive from ${this.#queue.name}`);
      const giveUpMs = this.#options.once ? GIVE_UP_ONCE_MS : GIVE_UP_MS;
      if (isDenied(error) || reason.code !== 'source-unreadable') throw reason;
      if (this.#failingSinceMs === null) {
        this.#failingSinceMs = Date.now();
        this.#warn(`${reason.message}; trying again for ${giveUpMs / 1000} seconds`);
      } else if (Date.now() - this.#failingSinceMs > giveUpMs) throw reason;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      return null;
    }
  }

  // Messages

  async #take(message: Message): Promise<void> {
    const content = readMessage(message.body);
    if (content.type === 'unknown') return this.#name(message, content.reason);
    if (content.type === 'record') return this.#offer(message, [this.#recordFile(message, content.hint)]);
    const files: LogFile[] = [];
    for (const object of content.objects) {
      if (object.key.endsWith('/') || isForeign(parseFolder(folderOf(object.key)))) continue;
      try {
        files.push(await this.#fileOf(object, message.receives > 1));
      } catch (error) {
        // The message is not taken over: it comes again.
        if (this.#ended.signal.aborted) return;
        const key = `s3://${object.bucket}/${object.key}`;
        this.#ready.push({ key, error: awsError(error, `read ${key}`) });
        return;
      }
      if (this.#options.reconcileDays !== null && !this.#roots.addKey(object.bucket, object.key))
        this.#warnOnce(`messages of ${this.#queue.name} name too many places to list them all`);
    }
    this.#offer(message, files);
  }

  #offer(message: Message, files: readonly LogFile[]): void {
    this.#ready.push(...this.#deliveries.take(message, files));
  }

  /** It is neither deleted nor hidden any longer: what becomes of it is for the queue's redrive policy to say. */
  #name(message: Message, reason: string): void {
    if (this.#named.has(message.id)) return;
    if (this.#named.size >= NAMED_MAX) this.#named.clear();
    this.#named.add(message.id);
    const key = `${this.#queue.name}#${message.id}`;
    const text = `cannot use message ${message.id} of ${this.#queue.name}: ${reason}`;
    const hint = 'It was left in the queue. A redrive policy moves such messages to a dead-letter queue.';
    // Nobody reads the problems of a run that does not end.
    if (this.#options.once) this.#ready.push({ key, error: new AppError('source-unreadable', text, { hint }) });
    else this.#warn(`${text}\n${hint}`);
  }

  #warnOnce(text: string): void {
    if (!this.#named.has(text)) this.#warn(text);
    this.#named.add(text);
  }

  #recordFile(message: Message, hint: LogFile['hint']): LogFile {
    const bytes = Buffer.from(message.body);
    return {
      key: `${this.#queue.name}#${message.id}`,
      sizeBytes: bytes.length,
      version: message.md5,
      hint,
      content: {
        type: 'object',
        open: () => Promise.resolve(Readable.from([bytes])),
        read: () => Promise.resolve(Uint8Array.from(bytes)),
      },
    };
  }

  /** A message that came before may be older than its object: then S3 is asked what there is now. */
  async #fileOf({ bucket, key, sizeBytes, etag }: CreatedObject, isStale: boolean): Promise<LogFile> {
    this.#client ??= createS3Client(this.#aws);
    const client = await this.#client;
    const requestPayer = this.#aws.requestPayer ?? false;
    if (sizeBytes !== null && etag !== null && !isStale)
      return objectFile(client, { bucket, key, etag, sizeBytes, requestPayer });
    return askedObject(client, { bucket, key, requestPayer }, this.#ended.signal);
  }

  // Reconciling

  /** Starts to list what no message named; false where there is nothing to do. */
  #reconcile(): boolean {
    const { reconcileDays, once } = this.#options;
    if (reconcileDays === null || this.#reconciling || (once && this.#reconciled)) return false;
    if (this.#roots.urls.length === 0) {
      if (once)
        this.#warnOnce('nothing to reconcile: no message named a bucket; name s3://bucket/prefix beside the queue');
      return false;
    }
    this.#reconciled = true;
    this.#reconcileDueMs = Date.now() + RECONCILE_EVERY_MS;
    this.#reconciling = true;
    this.#listRoots(reconcileDays)
      .catch((error: unknown) => {
        if (!this.#ended.signal.aborted) this.#failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        this.#reconciling = false;
        this.#change();
      });
    return true;
  }

  async #listRoots(days: number): Promise<void> {
    const { signal } = this.#ended;
    for (const url of this.#roots.urls) {
      let source: Source;
      try {
        source = await openS3Source(url, this.#aws, this.#warn);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        this.#ready.push({ key: url, error });
        continue;
      }
      try {
        for await (const found of source.list({ fromMs: Date.now() - days * DAY_MS }, signal)) {
          const fresh = 'error' in found ? found : this.#deliveries.adopt(found);
          if (fresh !== null) this.#ready.push(fresh);
          this.#change();
          while (this.#ready.length >= READY_MAX && !signal.aborted) await this.#nextChange();
        }
      } finally {
        await source.close();
      }
    }
  }
}

function folderOf(key: string): string {
  return key.slice(0, Math.max(key.lastIndexOf('/'), 0));
}
