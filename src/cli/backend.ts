/** A backend of the run, over its store or over Athena, closed whatever happens, and interrupted by Ctrl-C. */
import type { Backend } from '../backend.ts';
import { AppError } from '../errors.ts';
import { formatBytes } from '../size.ts';
import { athenaSettings, athenaWindow, type BackendCommandOptions, isAthena, tellSpent } from './athena.ts';
import type { Run } from './command.ts';
import { configEnrichment } from './enrichment.ts';
import { configLists, type Indicator } from './lists.ts';
import { plural } from './output/text.ts';
import type { Terminal } from './terminal.ts';
import type { AthenaSession } from './wire.ts';

type BackendRun = Pick<Run<BackendCommandOptions>, 'storeDir' | 'config' | 'options' | 'nowMs' | 'signal' | 'terminal'>;

/**
 * `portable`: the statement is in the portable subset and Trino's names hold; otherwise it is plain DuckDB. On Athena it is portable always. `newestMs`: when the newest
 * event was; on Athena the end of the window.
 */
export function withBackend<T>(
  run: BackendRun,
  options: { readonly portable: boolean },
  use: (backend: Backend, newestMs: () => Promise<number>) => Promise<T>,
): Promise<T> {
  if (isAthena(run)) {
    const window = athenaWindow(run);
    return withAthena(run, async (session) => use(await session.backend(window), async () => window.toMs - 1));
  }
  return withStoreBackend(run, options, use);
}

async function withStoreBackend<T>(
  run: BackendRun,
  options: { readonly portable: boolean },
  use: (backend: Backend, newestMs: () => Promise<number>) => Promise<T>,
): Promise<T> {
  const lists = configLists(run.config);
  const enrichment = await configEnrichment(run.config);
  const { openStore, useBackend } = await import('./wire.ts');
  const store = await openStore(run.storeDir);
  try {
    return await useBackend(store, { ...options, lists, enrichment }, async (backend) => {
      const interrupt = () => backend.interrupt();
      run.signal.addEventListener('abort', interrupt);
      try {
        return await use(backend, async () => {
          const { tables } = await store.status();
          const times = tables.flatMap(({ last }) => (last === null ? [] : [Date.parse(last)]));
          // An empty store has none: then it is now.
          return times.length === 0 ? run.nowMs : Math.max(...times);
        });
      } finally {
        run.signal.removeEventListener('abort', interrupt);
      }
    });
  } finally {
    await store.close();
  }
}

/** Says which accounts have come since the tables were made: nothing of them is read. What may not be listed is no reason to end. */
export async function tellUnknownAccounts(
  session: AthenaSession,
  terminal: Pick<Terminal, 'warn' | 'debug'>,
): Promise<void> {
  try {
    for (const [location, accounts] of await session.unknownAccounts()) {
      terminal.warn(
        `${plural(accounts.length, 'account')} below ${location} ${accounts.length === 1 ? 'is' : 'are'} not in the tables, and not read: ${accounts.slice(0, 5).join(', ')}${accounts.length > 5 ? ', …' : ''}\n` +
          `\`trailhound athena setup ${location} --apply\` takes in all that are there.`,
      );
    }
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'interrupted') throw error;
    terminal.debug(`new accounts were not looked for: ${error.message}`);
  }
}

/** Uses Athena, and tells at the end, whatever it is, what that has cost. */
export async function withAthena<T>(
  run: Pick<Run<BackendCommandOptions>, 'config' | 'options' | 'signal' | 'terminal'>,
  use: (session: AthenaSession) => Promise<T>,
  lists: ReadonlyMap<string, readonly Indicator[]> = configLists(run.config),
): Promise<T> {
  const { terminal, signal } = run;
  const enrichment = await configEnrichment(run.config);
  const { useAthena } = await import('./wire.ts');
  return useAthena(
    athenaSettings(run),
    {
      lists,
      enrichment,
      signal,
      onProgress: ({ state, totalBytes }) => terminal.progress(`Athena: ${state}, ${formatBytes(totalBytes)} scanned`),
    },
    async (session) => {
      try {
        return await use(session);
      } finally {
        const spent = session.spent();
        if (spent.statements > 0) tellSpent(spent, terminal);
      }
    },
  );
}
