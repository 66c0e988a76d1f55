/** Moto, an S3 that others wrote: https://docs.getmoto.org. Present where Python and it are installed; what needs it says so where it is skipped. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** As `.ci/run` installs it. */
const SERVER = fileURLToPath(new URL('moto-server.py', import.meta.url));

/** Why there is no moto here; null where there is. */
export function motoMissing(): string | null {
  const { status, error } = spawnSync('python3', ['-c', 'import moto.server, moto.s3.models'], { stdio: 'ignore' });
  if (error !== undefined) return 'python3 is not installed';
  return status === 0 ? null : "moto is not installed: python3 -m pip install --user 'moto[server]'";
}

export interface Moto {
  readonly port: number;
  close(): Promise<void>;
}

/** A bucket that holds the files below a folder. */
export async function startMoto(folder: string, bucket: string): Promise<Moto> {
  const child = spawn('python3', [SERVER, folder, bucket], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const told = once(child.stdout, 'data');
  const first: unknown = await Promise.race([told.then(([chunk]: unknown[]) => chunk), ended.then(() => null)]);
  if (first === null) throw new Error('moto ended before it told its port');
  return {
    port: Number(String(first)),
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
