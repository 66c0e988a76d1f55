/** The one door to catalog.duckdb: opened for milliseconds, one caller at a time in this process, retried while another process has it. */
import { chmodSync, existsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { DuckDBInstance } from '../duckdb.ts';
import { AppError } from '../errors.ts';
import { damagedDatabase, isDamage } from './database.ts';
import { asStoreError, FILE_MODE } from './files.ts';

/** Other processes hold the catalog for milliseconds; one that keeps it this long is stuck or is not trailhound. */
const PATIENCE_MS = 30_000;
/** Between two tries, with jitter so that two waiting processes do not march in step. */
const RETRY_MIN_MS = 4;
const RETRY_MAX_MS = 40;
/** The ledger of millions of files is scanned, never held. */
const MEMORY_LIMIT = '192MB';

/** The log of changes is folded into the file at the latest when it has grown to this: folding rewrites 122,880 rows of the ledger. */
const CHECKPOINT_THRESHOLD = '4MB';
/**
 * Every opening replays the log: a hundred small transactions cost it 40 ms, and a watch makes several openings for each alert. So the log is also folded when
 * replaying it has taken as long as folding it does; until that was measured, as long as this. What opens the catalog a few times never gets there.
 */
const FOLD_MS = 200;
/** An opening without a log, until one was measured. */
const OPENING_MS = 10;

/** Values of one row of a catalog statement, by column name. */
export type CatalogRow = Readonly<Record<string, DuckDBValue>>;

export interface CatalogSession {
  run(sql: string, params?: Record<string, DuckDBValue>): Promise<void>;
  rows(sql: string, params?: Record<string, DuckDBValue>): Promise<readonly CatalogRow[]>;
  readonly connection: DuckDBConnection;
}

/** A second DuckDB instance on one file in one process drops the file's lock when it is closed: one queue per path, whoever asks. */
const queues = new Map<string, Promise<unknown>>();

/** The process id in DuckDB's message about a lock that another process holds. */
export function lockHolder(message: string): number | null {
  const match = /Conflicting lock is held in .*\(PID (\d+)\)/.exec(message);
  return match?.[1] === undefined ? null : Number(match[1]);
}

/** What is to be done in an opening, and whom to tell that there was none. */
interface Visit {
  readonly work: (session: CatalogSession) => Promise<void>;
  readonly fail: (error: unknown) => void;
}

export class Catalog {
  readonly #path: string;
  /** Reads whose turn has not come yet. */
  #waiting: Visit[] | null = null;
  #openingMs = OPENING_MS;
  #foldMs = FOLD_MS;
  /** Spent on replaying the log since it was folded. */
  #replayMs = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get #log(): string {
    return `${this.#path}.wal`;
  }

  /** Reads; other processes may read at the same time. Reads that wait together share an opening, in order, and see the same state: opening costs far more than most of them. */
  read<T>(work: (session: CatalogSession) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const visit = {
        work: (session: CatalogSession) => work(session).then(resolve, reject),
        fail: reject,
      };
      if (this.#waiting !== null) {
        this.#waiting.push(visit);
        return;
      }
      const visits: Visit[] = [visit];
      this.#waiting = visits;
      const close = (): void => {
        if (this.#waiting === visits) this.#waiting = null;
      };
      this.#queued('READ_ONLY', async (session) => {
        close();
        for (const { work: look } of visits) await look(session);
      }).catch((error: unknown) => {
        close();
        for (const { fail } of visits) fail(error);
      });
    });
  }

  /** One transaction: all of it or nothing, durable when it resolves. */
  write<T>(work: (session: CatalogSession) => Promise<T>): Promise<T> {
    // A read that is asked for from now on sees what this writes.
    this.#waiting = null;
    return this.#queued('READ_WRITE', async (session) => {
      await session.run('PRAGMA disable_checkpoint_on_shutdown');
      await session.run('BEGIN');
      let result: T;
      try {
        result = await work(session);
        await session.run('COMMIT');
      } catch (error) {
        await session.run('ROLLBACK').catch(() => undefined);
        throw asStoreError(error, `write to the catalog ${this.#path}`);
      }
      if (this.#replayMs > this.#foldMs) await this.#fold(session);
      return result;
    });
  }

  async #fold(session: CatalogSession): Promise<void> {
    const started = performance.now();
    this.#replayMs = 0;
    // What was committed is safe in the log, whether or not it can be folded now.
    await session.run('CHECKPOINT').catch(() => undefined);
    this.#foldMs = performance.now() - started;
  }

  #queued<T>(mode: 'READ_ONLY' | 'READ_WRITE', work: (session: CatalogSession) => Promise<T>): Promise<T> {
    const before = queues.get(this.#path) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(() => this.#opened(mode, work));
    queues.set(this.#path, turn);
    return turn;
  }

  async #opened<T>(mode: 'READ_ONLY' | 'READ_WRITE', work: (session: CatalogSession) => Promise<T>): Promise<T> {
    const instance = await this.#open(mode);
    try {
      const connection = await instance.connect();
      try {
        return await work({
          connection,
          run: async (sql, params) => {
            await connection.run(sql, params);
          },
          rows: async (sql, params) => (await connection.runAndReadAll(sql, params)).getRowObjects(),
        });
      } finally {
        connection.closeSync();
      }
    } finally {
      instance.closeSync();
      // DuckDB makes its log of changes with the user's default mode.
      if (mode === 'READ_WRITE' && existsSync(this.#log)) chmodSync(this.#log, FILE_MODE);
    }
  }

  async #open(mode: 'READ_ONLY' | 'READ_WRITE'): Promise<DuckDBInstance> {
    const deadline = performance.now() + PATIENCE_MS;
    // DuckDB would make an empty one.
    if (!existsSync(this.#path)) throw damagedDatabase(this.#path, 'it is missing');
    for (;;) {
      const started = performance.now();
      const hasLog = (statSync(this.#log, { throwIfNoEntry: false })?.size ?? 0) > 0;
      try {
        const instance = await DuckDBInstance.create(this.#path, {
          access_mode: mode,
          memory_limit: MEMORY_LIMIT,
          threads: '2',
          checkpoint_threshold: CHECKPOINT_THRESHOLD,
          autoinstall_known_extensions: 'false',
          autoload_known_extensions: 'false',
        });
        const tookMs = performance.now() - started;
        if (hasLog) this.#replayMs += Math.max(0, tookMs - this.#openingMs);
        else this.#openingMs = tookMs;
        return instance;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (isDamage(message)) throw damagedDatabase(this.#path, message, error);
        if (!/could not set lock/i.test(message)) throw asStoreError(error, `open the catalog ${this.#path}`);
        if (performance.now() > deadline) {
          const pid = lockHolder(message);
          throw new AppError(
            'store-locked',
            `cannot open the catalog ${this.#path}: ${pid === null ? 'another process' : `process ${pid}`} has held it for ${PATIENCE_MS / 1000} s`,
            {
              hint: 'Close the program that has catalog.duckdb open; read the store through trailhound or its Parquet files instead.',
              cause: error,
            },
          );
        }
        await sleep(RETRY_MIN_MS + Math.random() * (RETRY_MAX_MS - RETRY_MIN_MS));
      }
    }
  }
}
