/**
 * Completes package-lock.json by the optional packages of other platforms. npm leaves out those that it cannot see or has not installed
 * (https://github.com/npm/cli/issues/4828); `npm ci` then refuses the lock file, and on the other platform the binaries are missing.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const PLATFORMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'openharmony',
  'openbsd',
  'netbsd',
  'sunos',
  'win32',
];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

/** What such a package runs on stands in its name: `…-linux-arm64-musl`. */
function requirements(name) {
  const words = name.split(/[-/]/);
  const os = words.filter((word) => PLATFORMS.includes(word));
  const cpu = words.filter((word) => PROCESSORS.includes(word));
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`cannot tell from its name what ${name} runs on`);
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : words.includes('gnu') ? ['glibc'] : [];
  return { os, cpu, ...(libc.length > 0 ? { libc } : {}) };
}

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
const added = [];
for (const [parent, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const places = [`${parent}/node_modules/${name}`, `node_modules/${name}`];
    // A range would have to be resolved; packages of binaries are pinned.
    if (places.some((place) => place in lock.packages) || !/^\d/.test(version)) continue;
    lock.packages[places[1]] = {
      version,
      ...requirements(name),
      ...(entry.dev === true ? { dev: true } : {}),
      optional: true,
    };
    added.push(name);
  }
}
const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
console.log(`package-lock.json: ${added.length} packages of other platforms added`);
