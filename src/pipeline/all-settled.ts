/** Works that run beside each other, a few at a time. */
import type pLimit from 'p-limit';

/** Runs all, then fails with the first failure: nothing goes on behind the caller's back. */
export async function all<T>(works: readonly (() => Promise<T>)[], limit: ReturnType<typeof pLimit>): Promise<T[]> {
  const ends = await Promise.allSettled(works.map((work) => limit(work)));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
}
