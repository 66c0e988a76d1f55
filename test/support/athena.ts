/** What the tests of Athena share: a session of the real client over the server on loopback. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { discoverRoots } from '../../src/backends/athena/layout.ts';
import { Session, type SessionOptions } from '../../src/backends/athena/session.ts';
import { planSetup } from '../../src/backends/athena/setup.ts';
import { TABLES } from '../../src/cli/wire.ts';
import { NO_CONTEXT } from '../../src/enrichment.ts';
import { openFolders } from '../../src/sources/s3-folders.ts';
import type { AthenaServer } from './athena-server.ts';

export const DATABASE = 'trailhound';
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface TestSession {
  readonly session: Session;
  /** Raised as by Ctrl-C. */
  readonly control: AbortController;
  close(): void;
}

export function openSession(server: AthenaServer, changes: Partial<SessionOptions> = {}): TestSession {
  const tempDirectory = mkdtempSync(join(tmpdir(), 'trailhound-athena-'));
  const control = new AbortController();
  const session = new Session({
    client: { endpoint: server.url, region: 'us-east-1', credentials: CREDENTIALS },
    place: { database: DATABASE, catalog: 'AwsDataCatalog', workgroup: 'primary', outputLocation: 's3://results/' },
    maxScanBytes: null,
    latenessMs: null,
    tables: TABLES,
    enrichment: NO_CONTEXT,
    lists: [],
    signal: control.signal,
    tempDirectory,
    nowMs: () => Date.now(),
    ...changes,
  });
  return {
    session,
    control,
    close: () => {
      session.close();
      rmSync(tempDirectory, { recursive: true, force: true });
    },
  };
}

/** Makes the tables of everything below these prefixes of a bucket. */
export async function setUp(
  session: Session,
  s3Url: string,
  bucket: string,
  prefixes: readonly string[],
): Promise<void> {
  const { signal } = new AbortController();
  const folders = await openFolders({ endpointUrl: s3Url, region: 'us-east-1' });
  const roots = await Promise.all(prefixes.map((prefix) => discoverRoots(bucket, prefix, { folders, signal })));
  folders.close();
  await session.apply(planSetup(DATABASE, TABLES, roots.flat(), await session.state()), () => undefined);
}
