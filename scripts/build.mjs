/** Builds dist/: the scanner's WebAssembly, then the TypeScript. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';

const run = (command, args) => {
  const { status } = spawnSync(process.execPath, [command, ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
mkdirSync('dist/src/formats', { recursive: true });
const OUTPUT = '-o dist/src/formats/scanner.wasm -O3 --converge --runtime stub';
const FEATURES = '--enable simd --enable bulk-memory --noAssert --importMemory --zeroFilledMemory';
run('node_modules/assemblyscript/bin/asc.js', [
  'src/formats/scanner/scanner.ts',
  ...OUTPUT.split(' '),
  ...FEATURES.split(' '),
]);
run('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
chmodSync('dist/src/cli/main.js', 0o755);
