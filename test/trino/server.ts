/** Starts one Trino for all tests of the project `trino`; says loudly when there is none. */
import type { TestProject } from 'vitest/node';
import { prepareTrino, startTrino } from '../../scripts/trino.ts';

export type TrinoAtHand = { readonly url: string } | null;

declare module 'vitest' {
  interface ProvidedContext {
    readonly trino: TrinoAtHand;
  }
}

let stop: (() => Promise<void>) | undefined;

/** TRAILHOUND_TRINO_URL names a server that runs already: quicker where tests are run again and again. */
export async function setup({ provide }: TestProject): Promise<void> {
  const running = process.env['TRAILHOUND_TRINO_URL'];
  if (running !== undefined) {
    provide('trino', { url: running });
    return;
  }
  const prepared = prepareTrino({ fetch: process.env['TRAILHOUND_TRINO_FETCH'] === '1' });
  if ('reason' in prepared) {
    process.stderr.write(`\nNO TRINO HERE, ALL ITS TESTS ARE SKIPPED: ${prepared.reason}\n\n`);
    provide('trino', null);
    return;
  }
  const server = await startTrino(prepared);
  ({ stop } = server);
  provide('trino', { url: server.url });
}

export async function teardown(): Promise<void> {
  await stop?.();
}
