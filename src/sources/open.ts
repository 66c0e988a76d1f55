/** Turns what the user names into a source. */
import { constants, existsSync, openSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { AppError } from '../errors.ts';
import { keyOf } from '../keys.ts';
import { unreadable } from '../payload.ts';
import type { AwsOptions, Source } from '../source.ts';
import { archiveAt, archiveSource } from './archive.ts';
import { lookAt, openDirectorySource, openGlobSource } from './directory.ts';
import { isGlob } from './glob.ts';
import type { QueueOptions } from './sqs.ts';
import { openStdinSource, streamSource } from './stdin.ts';

/** For sources behind a network. */
export interface RemoteOptions {
  readonly aws: AwsOptions;
  readonly queue: QueueOptions;
  /** Tells a person what is unusual and costs them something. */
  readonly warn: (message: string) => void;
}

/** As the environment says, and nobody to tell. */
const HERE: RemoteOptions = {
  aws: {},
  queue: { once: false, reconcileDays: null, roots: [] },
  warn: () => undefined,
};

/**
 * `-`, `s3://bucket/prefix`, `sqs://queue`, a file, a folder, an archive, a named pipe, or a glob; a path that exists is taken as it is written. Throws `source-missing`,
 * `source-unreadable`, `aws-credentials` or `usage-invalid`.
 */
export async function openSource(argument: string, stdin: Readable, remote: RemoteOptions = HERE): Promise<Source> {
  if (argument === '-') return openStdinSource(stdin);
  if (argument.startsWith('s3://')) {
    const { openS3Source } = await import('./s3.ts');
    return openS3Source(argument, remote.aws, remote.warn);
  }
  if (argument.startsWith('sqs://')) {
    const { openSqsSource } = await import('./sqs.ts');
    return openSqsSource(argument, remote.aws, remote.queue, remote.warn);
  }
  if (argument === '' || argument.includes('\0')) {
    throw new AppError(
      'usage-invalid',
      `cannot read the source '${argument}': expected a path, a glob, or - for standard input`,
    );
  }
  if (isGlob(argument) && !existsSync(argument)) return await openGlobSource(argument);
  if (isPipe(argument)) return openPipe(argument);
  const named = lookAt(argument);
  if (named.stats.isDirectory()) return await openDirectorySource(argument);
  if (!named.stats.isFile()) {
    throw new AppError('source-unreadable', `cannot read '${argument}': it is a socket or device, not a file`, {
      hint: 'Pipe its bytes into trailhound, and name - as the source.',
    });
  }
  const archive = await archiveAt(named.real, named.stats);
  return archive === null ? await openDirectorySource(argument) : archiveSource(argument, archive);
}

/** False as well when nothing can be said: whoever opens the path tells why. */
function isPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO();
  } catch {
    return false;
  }
}

/**
 * A pipe that the shell made (`<(zcat …)`) has no real path. It is polled: a read that waits for bytes on a thread of libuv's pool would keep the process
 * from ending.
 */
function openPipe(argument: string): Source {
  const path = resolve(argument);
  return streamSource(argument, keyOf(path), [path], async () => {
    try {
      const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return new Socket({ fd, readable: true, writable: false });
    } catch (error) {
      throw unreadable(argument, error);
    }
  });
}
