/** What the tests of sources share: temporary trees, and listings as plain values. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openPayload } from '../../src/payload.ts';
import type { ListingProblem, LogFile, Scope, Source } from '../../src/source.ts';

/** A folder that is removed when the test ends. */
export function tempDir(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'sources-')));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** Writes files, each holding its own name unless told otherwise. */
export function tree(dir: string, files: readonly string[] | Readonly<Record<string, string | Uint8Array>>): void {
  const entries = Array.isArray(files) ? files.map((name): [string, string] => [name, name]) : Object.entries(files);
  for (const [name, content] of entries) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
}

export interface Listed {
  readonly files: readonly LogFile[];
  readonly problems: readonly ListingProblem[];
}

export async function listAll(source: Source, scope: Scope = {}): Promise<Listed> {
  const files: LogFile[] = [];
  const problems: ListingProblem[] = [];
  for await (const item of source.list(scope, new AbortController().signal)) {
    if ('error' in item) problems.push(item);
    else files.push(item);
  }
  return { files, problems };
}

/** Keys below `dir`, and messages with `dir` taken out. */
export function relative(
  dir: string,
  { files, problems }: Listed,
): { readonly keys: readonly string[]; readonly problems: readonly string[] } {
  return {
    keys: files.map(({ key }) => key.replace(`${dir}/`, '')),
    problems: problems.map(({ error }) => error.message.replaceAll(`${dir}/`, '').replaceAll(dir, '.')),
  };
}

/** Lists, and reads each log file as it comes: uncompressed text by key. */
export async function readAll(
  source: Source,
): Promise<{ readonly texts: Readonly<Record<string, string>>; readonly problems: readonly string[] }> {
  const texts: Record<string, string> = {};
  const problems: string[] = [];
  for await (const item of source.list({}, new AbortController().signal)) {
    if ('error' in item) problems.push(item.error.message);
    else {
      const content =
        item.content.type === 'file' ? item.content : await item.content.open(new AbortController().signal);
      const parts: Uint8Array[] = [];
      for await (const slice of openPayload(content)) parts.push(slice);
      texts[item.key] = Buffer.concat(parts).toString();
    }
  }
  return { texts, problems };
}

/** A named pipe; Node itself cannot make one. */
export function makePipe(path: string): void {
  execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
}
