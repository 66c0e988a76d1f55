/** A certificate for 127.0.0.1 that nobody else trusts; null, told aloud, where openssl is not installed. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './sinks.ts';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** Path of the certificate. */
  readonly path: string;
}

export function makeCertificate(): Certificate | null {
  const dir = tempDir();
  const [keyPath, path] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', keyPath, '-out', path];
  const { status } = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    ...subject,
    ...files,
  ]);
  if (status !== 0) {
    process.stderr.write('SKIPPED: openssl is not installed, which makes certificates\n');
    return null;
  }
  return { key: readFileSync(keyPath, 'utf8'), cert: readFileSync(path, 'utf8'), path };
}
