/** One process of the generator: writes every n-th file of an archive and tells its parent what it wrote. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { plan, type Shape, type Written } from './corpus.ts';
import { WORLDS } from './worlds.ts';

/** What AWS uses, judging by the sizes of its files. */
const GZIP_LEVEL = 6;

const [, , shape = '', dir = '', part = '0', parts = '1'] = process.argv;
const written = { events: 0, rawBytes: 0, gzipBytes: 0 };
const asked = JSON.parse(shape) as Shape;
const { contentOf } = WORLDS[asked.logs ?? 'cloudtrail'];
for (const [index, job] of plan(asked).entries()) {
  if (index % Number(parts) !== Number(part)) continue;
  const { text, records } = contentOf(job);
  const raw = Buffer.from(text);
  const gzip = gzipSync(raw, { level: GZIP_LEVEL });
  const path = join(dir, job.path);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, gzip);
  written.events += records;
  written.rawBytes += raw.length;
  written.gzipBytes += gzip.length;
}
process.send?.(written satisfies Written);
