/** A certificate for 127.0.0.1 that nobody trusts unless told to; its key is no secret. Made once, for a hundred years: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1`. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const path = resolve('test/fixtures/certificate/cert.pem');

export const CERTIFICATE = {
  key: readFileSync(resolve('test/fixtures/certificate/key.pem'), 'utf8'),
  cert: readFileSync(path, 'utf8'),
  /** Path of the certificate. */
  path,
};
