/** When a request that failed is sent again, beyond the tries of the client: S3 asks whole fleets to slow down for longer than those last. */
import { setTimeout as sleep } from 'node:timers/promises';
import { awsReason } from '../aws.ts';
import { AppError } from '../errors.ts';

/** Failures in a row. */
const TRIES = 6;
const BACKOFF_MS = 100;
const BACKOFF_MAX_MS = 5000;
/** Asking again changes nothing. */
const FINAL_STATUS: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 412, 416]);

/** Is it worth another try after so many failures? Resolves when that is due, or the signal is raised. */
export async function mayRetry(error: unknown, failures: number, signal: AbortSignal): Promise<boolean> {
  if (error instanceof AppError || FINAL_STATUS.has(awsReason(error).status) || failures >= TRIES) return false;
  const waitMs = Math.min(BACKOFF_MS * 2 ** failures, BACKOFF_MAX_MS) * (0.5 + Math.random() / 2);
  try {
    await sleep(waitMs, undefined, { signal });
  } catch {
    // The signal was raised.
  }
  return !signal.aborted;
}
