/** When a request to S3 that failed is sent again. The client sends each one once: this is the only policy. */
import { awsReason, isCredentialError } from '../aws.ts';
import { AppError } from '../errors.ts';

/** Failures in a row. With what is waited between them, about twelve seconds; twenty where S3 asks to slow down. */
const TRIES = 8;
/** Of a command that has read nothing yet: whoever waits for it is told within a second or two. */
const OPENING_TRIES = 4;
const BACKOFF_MS = 100;
/** S3 asks whole fleets to slow down. */
const SLOW_DOWN_BACKOFF_MS = 500;
const BACKOFF_MAX_MS = 5000;
/** A server that asks for a longer pause is asked again after this. */
const RETRY_AFTER_MAX_MS = 20_000;
/** Asking again changes nothing. */
const FINAL_STATUS: ReadonlySet<number> = new Set([301, 400, 401, 403, 404, 405, 412, 416]);
/** S3 waited for the rest of a request and closed the connection; it says so with the status 400. */
const TIMEOUT = 'RequestTimeout';

/** Is it worth another try after so many failures? Resolves when that is due, or the signal is raised. */
export async function mayRetry(error: unknown, failures: number, signal: AbortSignal, tries = TRIES): Promise<boolean> {
  if (isFinal(error) || failures >= tries) return false;
  await pause(waitMs(error, failures), signal);
  return !signal.aborted;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}

/** Sends the first request of a command, again if need be. Throws what the last one failed with. */
export async function openingRequest<T>(send: () => Promise<T>): Promise<T> {
  const { signal } = new AbortController();
  for (let failures = 0; ; ) {
    try {
      return await send();
    } catch (error) {
      if (!(await mayRetry(error, ++failures, signal, OPENING_TRIES))) throw error;
    }
  }
}

function isFinal(error: unknown): boolean {
  if (error instanceof AppError) return true;
  const { name, status, clockSkewCorrected } = awsReason(error);
  if (name === TIMEOUT || clockSkewCorrected) return false;
  return FINAL_STATUS.has(status) || isCredentialError(name);
}

function waitMs(error: unknown, failures: number): number {
  const { name, status, retryAfterMs } = awsReason(error);
  const base = name === 'SlowDown' || status === 503 || status === 429 ? SLOW_DOWN_BACKOFF_MS : BACKOFF_MS;
  const backoffMs = Math.min(base * 2 ** failures, BACKOFF_MAX_MS) * (0.5 + Math.random() / 2);
  return Math.max(backoffMs, Math.min(retryAfterMs, RETRY_AFTER_MAX_MS));
}
