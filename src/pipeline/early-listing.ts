/** Lists what lies behind a network while threads and store get ready: otherwise the threads would wait for the first answers. */
import type { ListingProblem, LogFile, Scope, Source } from '../source.ts';

/** The same sources; those whose requests take time are being listed, for this scope, from now on. */
export function listEarly(sources: readonly Source[], scope: Scope, signal: AbortSignal): readonly Source[] {
  return sources.map((source) => {
    if (source.costs === undefined || source.endless === true) return source;
    const listing = source.list(scope, signal)[Symbol.asyncIterator]();
    const first = listing.next();
    // Whoever lists is told of it; nobody may, when the store cannot be opened.
    first.catch(() => undefined);
    return { ...source, list: () => continued(first, listing) };
  });
}

type Found = LogFile | ListingProblem;

async function* continued(first: Promise<IteratorResult<Found>>, listing: AsyncIterator<Found>): AsyncGenerator<Found> {
  try {
    for (let next = await first; next.done !== true; next = await listing.next()) yield next.value;
  } finally {
    await listing.return?.();
  }
}
