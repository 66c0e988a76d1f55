/** The decoder alone: lists a folder, reads, inflates and decodes every file in it with one format's decoder, and stores nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const [, , dir, module, format] = process.argv;
const { [format]: tested } = await import(new URL(`../dist/src/formats/${module}.js`, import.meta.url).href);
const decoder = await tested.createDecoder({ recordBytes: 32 * 2 ** 20, windowBytes: 64 * 2 ** 20 });
const SLICE_BYTES = 2 ** 20;
const counted = { files: 0, bytes: 0, rows: 0, rejects: 0 };
const takeWindow = () => {
  counted.rows += decoder.batch().rows;
  decoder.reset();
};
for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const bytes = gunzipSync(readFileSync(join(entry.parentPath, entry.name)));
  decoder.begin({ logFile: 1, deliveredDay: 20_000, ingestedAtMs: Date.now() });
  for (let at = 0; at < bytes.length || at === 0; at += SLICE_BYTES) {
    if (decoder.roomBytes() < SLICE_BYTES) takeWindow();
    const slice = bytes.subarray(at, at + SLICE_BYTES);
    const isLast = at + SLICE_BYTES >= bytes.length;
    for (let part = slice; decoder.push(part, isLast) === 'full'; part = new Uint8Array(0)) takeWindow();
  }
  counted.files++;
  counted.bytes += bytes.length;
  counted.rejects += decoder.end().rejects.length;
}
takeWindow();
console.log(JSON.stringify(counted));
