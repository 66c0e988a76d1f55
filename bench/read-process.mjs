/** The floor for many small files: lists a folder, reads and inflates every file in it, and does nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

let bytes = 0;
for (const entry of readdirSync(process.argv[2], { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) bytes += gunzipSync(readFileSync(join(entry.parentPath, entry.name))).length;
}
console.log(bytes);
