/** Secrets that the config needs and never holds: it names a variable of the environment or a file, and what is read there shows itself nowhere. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import { AppError } from './errors.ts';

const HIDDEN = '****';
/** A shorter value would be struck out of ordinary words. */
const SCRUBBED_MIN = 6;

/** Every value that was read, so that a message of somebody else that quotes it can be cleaned. */
const known = new Set<string>();

export class SecretValue {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    keepSecret(value);
  }

  /** The value itself: for the request that needs it, and nothing else. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}

/** A part of a secret, such as the path of a secret URL, that scrubbed() is to strike out too. */
export function keepSecret(part: string): void {
  if (part.length >= SCRUBBED_MIN) known.add(part);
}

/** `env:NAME` or `file:path`; relative paths start from `dir`. Throws `config-invalid`, without the value. */
export function readSecret(place: string, dir: string): SecretValue {
  const [, kind, name = ''] = /^(env|file):(.+)$/su.exec(place) ?? [];
  if (kind === undefined) {
    throw new AppError('config-invalid', 'a secret stands in the config itself: expected env:NAME or file:path', {
      hint: 'Put the value into a variable of the environment or a file that only this user can read, and name it here.',
    });
  }
  if (kind === 'env') {
    const value = process.env[name];
    if (value === undefined || value === '')
      throw new AppError(
        'config-invalid',
        `the variable ${name} of the environment is ${value === undefined ? 'not set' : 'empty'}`,
      );
    return new SecretValue(value);
  }
  let value: string;
  try {
    value = readFileSync(resolve(dir, name), 'utf8').replace(/\r?\n$/u, '');
  } catch (cause) {
    throw new AppError(
      'config-invalid',
      `cannot read the secret in ${name}: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  if (value === '') throw new AppError('config-invalid', `cannot use the secret in ${name}: the file is empty`);
  return new SecretValue(value);
}

/** A text of somebody else's, such as the error of a library, without any secret that was read. */
export function scrubbed(text: string): string {
  let clean = text;
  for (const value of known) {
    for (const form of new Set([value, encodeURIComponent(value)])) clean = clean.replaceAll(form, HIDDEN);
  }
  return clean;
}
