/** Runs every check that needs no test: format, lint, types, arrows, dead code, fresh docs. `npm run check -- lint types` runs only those. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

const node = (...args) => [process.execPath, args];
const bin = (path, ...args) => node(`node_modules/${path}`, ...args);

/** Each is a command whose exit status is the verdict; `reads` may turn a status of 0 into a failure by what was printed. */
const STEPS = {
  format: { run: bin('@biomejs/biome/bin/biome', 'check', '--colors=off', '.'), fix: 'npm run format' },
  lint: { run: bin('oxlint/bin/oxlint', '--type-aware', '--deny-warnings') },
  types: { run: bin('typescript/bin/tsc', '-p', '.', '--pretty', 'false') },
  arrows: {
    run: bin('dependency-cruiser/bin/dependency-cruise.mjs', 'src', 'detectors', '--config', '.dependency-cruiser.cjs'),
    reads: (text) =>
      /\([1-9]\d* modules/.test(text) ? null : 'dependency-cruiser saw no module: its silence proves nothing',
  },
  'dead code': { run: bin('knip/bin/knip.js', '--no-progress', '--treat-config-hints-as-errors') },
  docs: { run: node('--import', 'tsx', 'scripts/docs.ts', '--check'), fix: 'npm run docs' },
};

function run(name) {
  const {
    run: [command, args],
    reads,
    fix,
  } = STEPS[name];
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
    let text = '';
    child.stdout.on('data', (part) => (text += part));
    child.stderr.on('data', (part) => (text += part));
    child.on('close', (status, signal) => {
      const complaint = status === 0 ? (reads?.(text) ?? null) : `ended with ${signal ?? `status ${status}`}`;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`${complaint === null ? 'ok  ' : 'FAIL'}  ${name.padEnd(10)} ${seconds.padStart(5)} s`);
      if (complaint !== null) {
        console.log(`${text.trimEnd()}\n${name}: ${complaint}${fix === undefined ? '' : `; to mend it: ${fix}`}\n`);
      }
      resolve(complaint === null);
    });
  });
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(STEPS, name));
if (unknown.length > 0) {
  console.error(`no check is called '${unknown.join("', '")}': expected ${Object.keys(STEPS).join(', ')}`);
  process.exit(2);
}
const queue = wanted.length > 0 ? wanted : Object.keys(STEPS);
const results = [];
const worker = async () => {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) results.push(await run(name));
};
await Promise.all(Array.from({ length: availableParallelism() }, worker));
const failed = results.filter((passed) => !passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
