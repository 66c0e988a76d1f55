/** A server that speaks the languages of S3, SQS, SNS and EventBridge: https://docs.getmoto.org. Tests that need it are skipped aloud where it is not installed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const START_MS = 60_000;

/** Why it cannot be used here; null when it can. */
export const motoMissing: string | null =
  spawnSync('python3', ['-c', 'import moto.server'], { stdio: 'ignore' }).status === 0
    ? null
    : 'moto is not installed: python3 -m pip install --user "moto[server]"';
if (motoMissing !== null) process.stderr.write(`SKIPPED: ${motoMissing}\n`);

export const AWS_ENV = {
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'eu-central-1',
  AWS_EC2_METADATA_DISABLED: 'true',
} as const;

export interface Moto {
  readonly url: string;
  stop(): Promise<void>;
}

export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const deadline = Date.now() + START_MS;
  while (!(await answers(url))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`moto did not start on ${url}`);
    await sleep(100);
  }
  return { url, stop: () => end(child) };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/moto-api/data.json`)).ok;
  } catch {
    return false;
  }
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port'));
      });
    });
  });
}

/** The script that fills a bucket in its own process, which is far faster than putting each object. */
const FILLING = fileURLToPath(new URL('moto-server.py', import.meta.url));

export interface FilledMoto {
  readonly port: number;
  close(): Promise<void>;
}

/** A bucket that holds the files below a folder. */
export async function startFilledMoto(folder: string, bucket: string): Promise<FilledMoto> {
  const child = spawn('python3', [FILLING, folder, bucket], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const told = once(child.stdout, 'data');
  const first = await Promise.race([told.then(([chunk]) => (chunk as Buffer).toString()), ended.then(() => null)]);
  if (first === null) throw new Error('moto ended before it told its port');
  return {
    port: Number(first),
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
