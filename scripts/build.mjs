/** Builds dist/: the scanner's WebAssembly, then the TypeScript. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const run = (command, args) => {
  const { status } = spawnSync(process.execPath, [command, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
mkdirSync('dist/src/formats', { recursive: true });
/** Each is src/formats/scanner/<name>.ts and becomes dist/src/formats/<name>.wasm. */
const SCANNERS = ['json-scanner', 's3-access'];
const OPTIONS = '-O3 --converge --runtime stub';
const FEATURES = '--enable simd --enable bulk-memory --noAssert --importMemory --zeroFilledMemory';
for (const name of SCANNERS) {
  const module = `dist/src/formats/${name}.wasm`;
  run('node_modules/assemblyscript/bin/asc.js', [
    `src/formats/scanner/${name}.ts`,
    ...`-o ${module}`.split(' '),
    ...OPTIONS.split(' '),
    ...FEATURES.split(' '),
  ]);
  writeFileSync(`${module}.sha256`, createHash('sha256').update(readFileSync(module)).digest('hex'));
}
run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
chmodSync('dist/src/cli/main.js', 0o755);
