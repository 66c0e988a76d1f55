/** Archives that are hard to come by: millions of log files, and one log file of gigabytes. */
import { createWriteStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Corpus } from './corpus.ts';
import type { SizedFile } from './sql.ts';

/** The files below a folder, with the day that their paths tell. */
export function sizedFiles(dir: string): SizedFile[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path, day: entry.parentPath.split('/').slice(-3).join('-'), sizeBytes: statSync(path).size };
    });
}

/** A tar archive of so many log files of one record each: as many files in a folder would need gigabytes of inodes. */
export async function manyFiles(template: Corpus, count: number, path: string): Promise<void> {
  const [first] = sizedFiles(template.dir);
  if (first === undefined) throw new Error('the archive of one event has no file');
  const text = gunzipSync(readFileSync(first.path)).toString();
  const id = /"eventID":"([^"]{36})"/.exec(text)?.[1] ?? '';
  const archive = pack();
  const written = finished(archive.pipe(createWriteStream(path)));
  for (let index = 0; index < count; index++) {
    const own = text.replace(id, `${index.toString(16).padStart(8, '0')}${id.slice(8)}`);
    const name = basename(first.path).replace(/_[^_]*$/, `_${String(index).padStart(16, '0')}.json.gz`);
    await new Promise<void>((resolve, reject) =>
      archive.entry({ name }, gzipSync(own), (error) => (error ? reject(error) : resolve())),
    );
  }
  archive.finalize();
  await written;
}

/** Writes one plain JSON log file of at least so many bytes and tells how many events it holds: the archive's, over and over, with new ids each time. */
export async function giantFile(archive: Corpus, bytes: number, path: string): Promise<number> {
  const files = sizedFiles(archive.dir);
  const out = createWriteStream(path);
  let written = 0;
  let events = 0;
  out.write('{"Records":[');
  for (let turn = 0; written < bytes; turn++) {
    const { path: source = '' } = files[turn % files.length] ?? {};
    const round = Math.floor(turn / files.length);
    const records = gunzipSync(readFileSync(source)).toString().slice('{"Records":['.length, -']}'.length);
    const own = records.replaceAll(/"eventID":"(.{8})/g, (_, head: string) => {
      events++;
      return `"eventID":"${((Number.parseInt(head, 16) + round) >>> 0).toString(16).padStart(8, '0')}`;
    });
    if (!out.write(written === 0 ? own : `,${own}`)) {
      await new Promise<void>((resolve) => out.once('drain', () => resolve()));
    }
    written += own.length;
  }
  out.end(']}');
  await finished(out);
  return events;
}
