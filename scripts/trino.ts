/** A Trino server for tests: fetched from Maven Central by Maven itself, unpacked with the plugins that are needed, run on loopback. */
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The newest on Maven Central. Athena's engine 3 follows Trino: https://docs.aws.amazon.com/athena/latest/ug/engine-versions-reference-0003.html. */
const TRINO_VERSION = '476';
/** What this version asks for: https://trino.io/docs/current/release/release-476.html. */
const JAVA_MIN = 24;
const PLUGINS = ['hive', 'memory'];
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
/** Of its memory, statements may take this share. */
const QUERY_SHARE = 0.6;
/** The archive has 820 MB. */
const FETCH_TIMEOUT_MS = 600_000;
const START_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 20_000;

/** Where it is kept between runs: TRAILHOUND_TRINO_CACHE, or ~/.cache/trailhound-trino. */
const cacheDir = (): string => process.env['TRAILHOUND_TRINO_CACHE'] ?? join(homedir(), '.cache/trailhound-trino');
const homeDir = (): string => join(cacheDir(), `trino-server-${TRINO_VERSION}`);

/** A `java` that is new enough: of TRAILHOUND_TRINO_JAVA, of JAVA_HOME, of PATH, or of what lies in /usr/lib/jvm; null where there is none. */
function findJava(): string | null {
  const jvms = '/usr/lib/jvm';
  const homes = [
    process.env['TRAILHOUND_TRINO_JAVA'],
    process.env['JAVA_HOME'],
    ...(existsSync(jvms) ? readdirSync(jvms).map((name) => join(jvms, name)) : []),
  ];
  const commands = ['java', ...homes.filter((home) => home !== undefined).map((home) => join(home, 'bin/java'))];
  return (
    commands.find((command) => {
      const { stdout, stderr } = spawnSync(command, ['-version'], { encoding: 'utf8' });
      const [, version = '0'] = /version "(\d+)/.exec(`${stdout ?? ''}${stderr ?? ''}`) ?? [];
      return Number(version) >= JAVA_MIN;
    }) ?? null
  );
}

/** Runs a command to its end; its last words where it fails, null where it does not. */
function run(command: string, args: readonly string[], timeout: number): string | null {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout, maxBuffer: 1 << 28 });
  if (status === 0) return null;
  const words = error?.message ?? `${stdout}\n${stderr}`.trim().split('\n').slice(-4).join('\n');
  return `${command} ${args[0]}: ${words}`;
}

/** A server and a Java to run it with. */
export interface PreparedTrino {
  readonly home: string;
  readonly java: string;
}

/**
 * What is needed to start, or the reason why it cannot be had. With `fetch` the server is fetched first where it is not in the cache. Maven finds the
 * repository, and a mirror of it by its settings.xml, and checks the checksum; TRAILHOUND_TRINO_ARCHIVE names an archive that is at hand instead.
 */
export function prepareTrino({ fetch }: { readonly fetch: boolean }): PreparedTrino | { readonly reason: string } {
  const java = findJava();
  if (java === null) return { reason: `no Java ${JAVA_MIN} or newer: set TRAILHOUND_TRINO_JAVA to its home` };
  const home = homeDir();
  if (existsSync(home)) return { home, java };
  const given = process.env['TRAILHOUND_TRINO_ARCHIVE'];
  if (!fetch && given === undefined)
    return { reason: `no server in ${cacheDir()}: fetch it by \`node --import tsx scripts/trino.ts fetch\` (820 MB)` };
  mkdirSync(cacheDir(), { recursive: true });
  const work = mkdtempSync(join(cacheDir(), 'fetch-'));
  try {
    const problem = fetchInto(work, given);
    return problem === null ? { home, java } : { reason: `the server could not be had: ${problem}` };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fetchInto(work: string, given: string | undefined): string | null {
  const name = `trino-server-${TRINO_VERSION}`;
  const repository = join(work, 'repository');
  const archive = given ?? join(repository, 'io/trino/trino-server', TRINO_VERSION, `${name}.tar.gz`);
  if (given === undefined) {
    const artifact = `io.trino:trino-server:${TRINO_VERSION}:tar.gz`;
    const args = ['-B', '-q', '--strict-checksums', `-Dmaven.repo.local=${repository}`, `${DEPENDENCY_PLUGIN}:get`];
    const problem = run('mvn', [...args, `-Dartifact=${artifact}`, '-Dtransitive=false'], FETCH_TIMEOUT_MS);
    if (problem !== null) return problem;
  }
  // All of it, since the plugins share files by hard links.
  const problem = run('tar', ['-xzf', archive, '-C', work], FETCH_TIMEOUT_MS);
  if (problem !== null) return problem;
  const plugins = join(work, name, 'plugin');
  for (const plugin of readdirSync(plugins))
    if (!PLUGINS.includes(plugin)) rmSync(join(plugins, plugin), { recursive: true });
  renameSync(join(work, name), homeDir());
  return null;
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** TRAILHOUND_TRINO_HEAP_GB asks for more, for a hunt over a large archive. */
const heapMb = (): number => Math.round(Number(process.env['TRAILHOUND_TRINO_HEAP_GB'] ?? 2) * 1024);

/** Its settings; tables of the catalog `hive` lie anywhere on this machine, under `local:///`, their definitions in `dir`. */
function writeSettings(dir: string, port: number): string {
  const etc = join(dir, 'etc');
  mkdirSync(join(etc, 'catalog'), { recursive: true });
  const write = (name: string, lines: readonly string[]): void =>
    writeFileSync(join(etc, name), `${lines.join('\n')}\n`);
  const queryMb = Math.round(heapMb() * QUERY_SHARE);
  write('config.properties', [
    'coordinator=true',
    'node-scheduler.include-coordinator=true',
    `http-server.http.port=${port}`,
    `discovery.uri=http://127.0.0.1:${port}`,
    `query.max-memory=${queryMb}MB`,
    `query.max-memory-per-node=${queryMb}MB`,
    `memory.heap-headroom-per-node=${Math.round(heapMb() * 0.2)}MB`,
    'query.max-history=20',
    'catalog.management=static',
  ]);
  write('node.properties', [
    'node.environment=test',
    `node.id=${port}`,
    'node.bind-ip=127.0.0.1',
    'node.internal-address=127.0.0.1',
    `node.data-dir=${join(dir, 'data')}`,
  ]);
  write('log.properties', ['io.trino=WARN']);
  write('catalog/memory.properties', ['connector.name=memory', 'memory.max-data-per-node=512MB']);
  write('catalog/hive.properties', [
    'connector.name=hive',
    'hive.metastore=file',
    `hive.metastore.catalog.dir=local://${join(dir, 'metastore')}`,
    'fs.native-local.enabled=true',
    'local.location=/',
    'hive.recursive-directories=true',
  ]);
  return etc;
}

export interface RunningTrino {
  /** On loopback, without a path. */
  readonly url: string;
  readonly version: string;
  readonly stop: () => Promise<void>;
}

/** Starts a server and waits until it answers; `stop` ends it and takes its files away. Throws with the end of its log where it does not start. */
export async function startTrino({ home, java }: PreparedTrino): Promise<RunningTrino> {
  const dir = mkdtempSync(join(tmpdir(), 'trailhound-trino-'));
  const port = await freePort();
  const etc = writeSettings(dir, port);
  const log = join(dir, 'server.log');
  const out = openSync(log, 'w');
  const settings = readFileSync(join(etc, 'node.properties'), 'utf8').trim().split('\n');
  const server = spawn(
    java,
    [
      `-Xmx${heapMb()}m`,
      '-XX:+UseSerialGC',
      '-XX:+ExitOnOutOfMemoryError',
      '-XX:ReservedCodeCacheSize=256M',
      '-XX:-OmitStackTraceInFastThrow',
      '-XX:+EnableDynamicAgentLoading',
      '-Djdk.attach.allowAttachSelf=true',
      '--enable-native-access=ALL-UNNAMED',
      '--sun-misc-unsafe-memory-access=allow',
      '-Dfile.encoding=UTF-8',
      '-Duser.timezone=UTC',
      ...settings.map((setting) => `-D${setting}`),
      `-Dconfig=${join(etc, 'config.properties')}`,
      `-Dlog.levels-file=${join(etc, 'log.properties')}`,
      `-Dcatalog.config-dir=${join(etc, 'catalog')}`,
      '-cp',
      join(home, 'lib/*'),
      'io.trino.server.TrinoServer',
    ],
    { cwd: home, stdio: ['ignore', out, out] },
  );
  const ended = new Promise<unknown>((resolve) => {
    server.once('exit', resolve);
    server.once('error', resolve);
  });
  const end = (): boolean => server.kill('SIGKILL');
  process.once('exit', end);
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    await Promise.race([ended, sleep(STOP_TIMEOUT_MS, null, { ref: false })]);
    end();
    process.removeListener('exit', end);
    rmSync(dir, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && server.exitCode === null && server.signalCode === null) {
    if (await isReady(url)) return { url, version: TRINO_VERSION, stop };
    await sleep(250);
  }
  const words = readFileSync(log, 'utf8').trim().split('\n').slice(-30).join('\n');
  await stop();
  throw new Error(`Trino ${TRINO_VERSION} did not start:\n${words}`);
}

async function isReady(url: string): Promise<boolean> {
  try {
    const info = (await (await fetch(`${url}/v1/info`)).json()) as { readonly starting?: boolean };
    return info.starting === false;
  } catch {
    return false;
  }
}

async function main(): Promise<number> {
  const [command] = process.argv.slice(2);
  if (command !== 'fetch' && command !== 'start') {
    process.stderr.write('usage: node --import tsx scripts/trino.ts fetch|start\n');
    return 2;
  }
  const prepared = prepareTrino({ fetch: true });
  if ('reason' in prepared) {
    process.stderr.write(`no Trino here: ${prepared.reason}\n`);
    return 1;
  }
  if (command === 'fetch') {
    process.stdout.write(`${prepared.home}\n`);
    return 0;
  }
  const { url, stop } = await startTrino(prepared);
  process.stdout.write(`${url}\n`);
  await new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await stop();
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
