/** The right to write segments: an open DuckDB file that the operating system frees when its holder dies. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '../duckdb.ts';
import { AppError } from '../errors.ts';
import { lockHolder } from './catalog.ts';
import { createDatabase, isDamage } from './database.ts';
import { asStoreError, type StorePaths } from './files.ts';

/** `status` looks into the lock for a moment; that must not make an ingest fail. */
const PATIENCE_MS = 1500;
const RETRY_MS = 50;

/** Leases held by this process: a second DuckDB instance on the same file would drop the lock when closed. */
const heldHere = new Set<string>();

export interface Lease {
  release(): void;
}

async function open(
  path: string,
  mode: 'READ_WRITE' | 'READ_ONLY',
): Promise<{ instance: DuckDBInstance } | { pid: number | null }> {
  try {
    return { instance: await DuckDBInstance.create(path, { access_mode: mode, memory_limit: '64MB', threads: '1' }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (isDamage(message)) {
      throw new AppError('store-damaged', `cannot take the writer's lease ${path}: ${message}`, {
        hint: 'This file holds no data: remove it while no trailhound runs on the store.',
        cause: error,
      });
    }
    if (!/could not set lock/i.test(message)) throw asStoreError(error, `take the writer's lease ${path}`);
    return { pid: lockHolder(message) };
  }
}

/** Throws `store-locked`, naming the process that holds the lease; `refusal` says so. */
export async function takeLease(
  { lock: path, staging }: Pick<StorePaths, 'lock' | 'staging'>,
  refusal = locked,
): Promise<Lease> {
  try {
    if (!existsSync(path)) await createDatabase(path, staging);
  } catch (error) {
    throw asStoreError(error, `take the writer's lease ${path}`);
  }
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    if (heldHere.has(path)) throw refusal(path, process.pid);
    heldHere.add(path);
    const result = await open(path, 'READ_WRITE').catch((error: unknown) => {
      heldHere.delete(path);
      throw error;
    });
    if ('instance' in result) {
      return {
        release: () => {
          result.instance.closeSync();
          heldHere.delete(path);
        },
      };
    }
    heldHere.delete(path);
    if (performance.now() > deadline) throw refusal(path, result.pid);
    await sleep(RETRY_MS);
  }
}

function locked(path: string, pid: number | null): AppError {
  return new AppError(
    'store-locked',
    `cannot write to the store: ${pid === null ? 'another process' : `process ${pid}`} is writing to it (${path})`,
    {
      hint: 'Wait until it has ended, or choose another store with --store. Reading and hunting need not wait.',
    },
  );
}

/** The right to watch: one process runs schedules and deliveries of a store. Throws `store-watched`. */
export function takeWatch({ watchLock, staging }: StorePaths): Promise<Lease> {
  return takeLease(
    { lock: watchLock, staging },
    (path, pid) =>
      new AppError(
        'store-watched',
        `cannot watch the store: ${pid === null ? 'another process' : `process ${pid}`} watches it already (${path})`,
        { hint: 'One watch runs the schedules and deliveries of a store: end that one first.' },
      ),
  );
}

/** The process that writes to the store now, or null. */
export async function leaseHolder(path: string): Promise<number | null> {
  if (heldHere.has(path)) return process.pid;
  if (!existsSync(path)) return null;
  const result = await open(path, 'READ_ONLY');
  if ('pid' in result) return result.pid;
  result.instance.closeSync();
  return null;
}
