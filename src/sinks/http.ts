/** Sends one request to a destination that the config names: to public addresses only, following nothing, and telling what a refusal is about. */

import { lookup as resolveName } from 'node:dns';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { AppError } from '../errors.ts';
import { retryAfterMs } from '../retry-after.ts';
import { keepSecret, readSecret } from '../secret-value.ts';
import { DeliveryError } from '../sink.ts';
import { isPublicAddress } from './addresses.ts';
import { quoted } from './text.ts';

/** What is read of an answer: more than any API says of one message. */
const ANSWER_MAX_BYTES = 65_536;
/** A wrong credential, a forbidden or missing address: no message will be taken there. */
const DESTINATION_STATUSES: ReadonlySet<number> = new Set([401, 403, 404, 408, 410, 429]);

export interface Endpoint {
  readonly url: URL;
  /** Lets addresses of private networks and plain http through. */
  readonly allowPrivate: boolean;
  /** Certificates that are trusted in place of the usual ones. */
  readonly ca?: string;
}

export interface HttpRequest {
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}

/** What a URL must be, or null when it is that. The value is not told: it may hold a secret. */
export function urlProblem(text: string, allowPrivate: boolean): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  const schemes = allowPrivate ? 'an http:// or https:// URL' : 'an https:// URL';
  if (url === null || !(url.protocol === 'https:' || (allowPrivate && url.protocol === 'http:')))
    return `expected ${schemes}`;
  if (url.username !== '' || url.password !== '') return `expected ${schemes} without a user and a password in it`;
  return null;
}

/** Throws `config-invalid`. Path and query of a secret URL are kept out of every message too. */
export function openEndpoint(
  place: string,
  options: {
    readonly id: string;
    readonly dir: string;
    readonly allowPrivate: boolean;
    readonly ca?: string | undefined;
  },
): Endpoint {
  const { id, dir, allowPrivate } = options;
  const isSecret = /^(?:env|file):/u.test(place);
  const text = isSecret ? readSecret(place, dir).reveal() : place;
  const problem = urlProblem(text, allowPrivate);
  if (problem !== null)
    throw new AppError('config-invalid', `sink ${id}: cannot use the URL in ${isSecret ? place : 'url'}: ${problem}`);
  const url = new URL(text);
  if (isSecret) for (const part of [url.href, url.pathname, url.search]) keepSecret(part);
  return { url, allowPrivate, ...(options.ca !== undefined && { ca: readCertificates(options.ca, dir, id) }) };
}

export function readCertificates(path: string, dir: string, id: string): string {
  try {
    return readFileSync(resolve(dir, path), 'utf8');
  } catch (cause) {
    throw new AppError('config-invalid', `sink ${id}: cannot read the certificates in ${path}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

/** Resolves with the body of an answer of 2xx, as far as it was read. Throws DeliveryError; when `signal` is aborted, its reason. */
export async function send(endpoint: Endpoint, request: HttpRequest, signal: AbortSignal): Promise<string> {
  const { url } = endpoint;
  const doing = `cannot ${request.method} to ${url.host}`;
  const late = AbortSignal.timeout(request.timeoutMs);
  let answer: Answer;
  try {
    answer = await exchange(endpoint, request, AbortSignal.any([signal, late]));
  } catch (error) {
    signal.throwIfAborted();
    const why = late.aborted ? `no answer within ${request.timeoutMs / 1000} s` : reasonOf(error);
    throw new DeliveryError('sink', `${doing}: ${quoted(why)}`);
  }
  const { status, body } = answer;
  if (status >= 200 && status < 300) return body;
  const said = quoted(body);
  const isRedirect = status >= 300 && status < 400;
  const what = isRedirect
    ? `status ${status}, a redirect, which is not followed`
    : `status ${status}${said === '' ? '' : `: ${said}`}`;
  const about = isRedirect || status >= 500 || status < 200 || DESTINATION_STATUSES.has(status) ? 'sink' : 'message';
  throw new DeliveryError(about, `${doing}: ${what}`, { retryAfterMs: answer.retryAfterMs });
}

interface Answer {
  readonly status: number;
  readonly retryAfterMs: number;
  readonly body: string;
}

function exchange(
  { url, allowPrivate, ca }: Endpoint,
  { method, headers, body }: HttpRequest,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((settle, reject) => {
    const host = url.hostname.replace(/^\[|\]$/gu, '');
    // Node looks no address up that is one already.
    if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) return reject(refusal(host));
    const outgoing = (url.protocol === 'https:' ? requestHttps : requestHttp)(
      url,
      {
        method,
        headers: { 'user-agent': 'trailhound', ...headers, 'content-length': String(Buffer.byteLength(body)) },
        signal,
        // A connection of one's own: one that another sink opened was checked by that sink's rules.
        agent: false,
        ...(ca !== undefined && { ca }),
        ...(!allowPrivate && { lookup: lookupPublic }),
      },
      (incoming) => {
        readAnswer(incoming).then(
          (text) =>
            settle({
              status: incoming.statusCode ?? 0,
              retryAfterMs: retryAfterMs(incoming.headers['retry-after']),
              body: text,
            }),
          reject,
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function readAnswer(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of incoming) {
    parts.push(part as Buffer);
    bytes += (part as Buffer).length;
    // Leaving the loop ends the connection.
    if (bytes >= ANSWER_MAX_BYTES) break;
  }
  return Buffer.concat(parts).subarray(0, ANSWER_MAX_BYTES).toString();
}

/** Refuses a name as a whole when one of its addresses is not public. The connection uses the addresses that are given back here, and no others. */
const lookupPublic: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '');
    const bad = addresses.find(({ address }) => !isPublicAddress(address));
    const [first] = addresses;
    if (bad !== undefined || first === undefined) return callback(refusal(bad?.address ?? hostname), '');
    if (options.all === true) return callback(null, addresses);
    callback(null, first.address, first.family);
  });
};

function refusal(address: string): Error {
  return new Error(`${address} is no public address: allow_private: true lets a sink reach private networks`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node throws an AggregateError without a text where none of a host's addresses answers.
  return error.message || String(Reflect.get(error, 'code') ?? error.name);
}
