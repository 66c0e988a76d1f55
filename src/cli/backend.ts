/** A backend over the store of the run, closed whatever happens, and interrupted by Ctrl-C. */
import { resolve } from 'node:path';
import type { Backend } from '../backend.ts';
import type { Store } from '../store.ts';
import type { Run } from './command.ts';
import type { Config } from './config.ts';
import { type Indicator, readList } from './lists.ts';

/** The lists of the config, by name. Throws `config-invalid`. */
export function configLists(config: Config): Map<string, readonly Indicator[]> {
  return new Map(Object.entries(config.lists).map(([name, file]) => [name, readList(resolve(config.dir, file))]));
}

/** `portable`: the statement is in the portable subset and Trino's names hold; otherwise it is plain DuckDB. */
export async function withBackend<T>(
  run: Pick<Run<unknown>, 'storeDir' | 'config' | 'signal'>,
  options: { readonly portable: boolean },
  use: (backend: Backend, store: Store) => Promise<T>,
): Promise<T> {
  const lists = configLists(run.config);
  const { openStore, useBackend } = await import('./wire.ts');
  const store = await openStore(run.storeDir);
  try {
    return await useBackend(store, { ...options, lists }, async (backend) => {
      const interrupt = () => backend.interrupt();
      run.signal.addEventListener('abort', interrupt);
      try {
        return await use(backend, store);
      } finally {
        run.signal.removeEventListener('abort', interrupt);
      }
    });
  } finally {
    await store.close();
  }
}
