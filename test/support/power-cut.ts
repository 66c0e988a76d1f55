/** A file system of its own whose power can be cut: what was not synced by then is gone, as of a machine that lost its power. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** EXT4_IOC_SHUTDOWN of linux/ext4.h with EXT4_GOING_FLAGS_NOLOGFLUSH: from here on nothing more reaches the disk, the journal included. Node has no ioctl. */
const SHUT_DOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack("I", 2))
`;
/** Else the journal is written every five seconds by itself, and what lacks a sync would be there by luck. */
const MOUNT_OPTIONS = 'loop,commit=600';

const run = (command: string, ...args: readonly string[]): void => {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
};

export class CuttableDisk {
  readonly dir: string;
  readonly #image: string;

  /** `parent`: an existing folder for the image and the place where it is mounted. */
  constructor(parent: string, megabytes: number) {
    this.dir = join(parent, 'disk');
    this.#image = join(parent, 'disk.img');
    mkdirSync(this.dir);
    run('truncate', '--size', `${megabytes}M`, this.#image);
    run('mkfs.ext4', '-q', this.#image);
    this.#mount();
  }

  cut(): void {
    run('python3', '-c', SHUT_DOWN, this.dir);
  }

  /** Power again, once nobody has a file open: the journal is replayed. */
  restart(): void {
    run('umount', this.dir);
    this.#mount();
  }

  close(): void {
    run('umount', this.dir);
    rmSync(this.#image);
  }

  #mount(): void {
    run('mount', '-o', MOUNT_OPTIONS, this.#image, this.dir);
  }
}

/** Why no power can be cut here, or null. */
export function powerCutMissing(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'trailhound-cut-'));
  try {
    const disk = new CuttableDisk(folder, 16);
    disk.cut();
    disk.close();
    return null;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
