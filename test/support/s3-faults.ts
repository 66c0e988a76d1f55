/** How an S3 on loopback fails: what strikes which request, and what goes out then. */
import type { ServerResponse } from 'node:http';
import { Random } from '../../scripts/support/random.ts';

/**
 * `slow-down`, `reset` (before an answer), `hang` (no answer), `cut` (the connection ends within the body), `stall` (the body stops within), `short` (a whole
 * answer with half of the body), `long` (one with more than the object), `ignore-range`; `changed`, `missing`, `denied`, `no-key-grant`, `archived`,
 * `no-bucket`, `bad-key-id`, `bad-signature`, `wrong-time`, `wrong-region` are S3's answers of that meaning.
 */
export type FaultKind = BodyFault | Refusal | 'reset' | 'hang';
export type Refusal = keyof typeof REFUSALS;
export type BodyFault = 'cut' | 'stall' | 'short' | 'long' | 'ignore-range';

export interface Fault {
  readonly kind: FaultKind;
  /** Default: any request. */
  readonly on?: 'list' | 'get';
  /** Only this key, or listings of this prefix. */
  readonly key?: string;
  /** So many times, then no more. */
  readonly times?: number;
  /** The header Retry-After of a refusal. */
  readonly retryAfterSeconds?: number;
  /** Of the requests that it could strike; default all. */
  readonly probability?: number;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const REFUSALS = {
  'slow-down': [503, 'SlowDown', 'Please reduce your request rate.'],
  changed: [412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold'],
  missing: [404, 'NoSuchKey', 'The specified key does not exist.'],
  denied: [403, 'AccessDenied', 'Access Denied'],
  'no-key-grant': [
    403,
    'AccessDenied',
    'User: arn:aws:iam::111122223333:role/reader is not authorized to perform: kms:Decrypt on the resource',
  ],
  archived: [403, 'InvalidObjectState', "The operation is not valid for the object's storage class"],
  'no-bucket': [404, 'NoSuchBucket', 'The specified bucket does not exist'],
  'bad-signature': [
    403,
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the one you provided.',
  ],
  'wrong-time': [
    403,
    'RequestTimeTooSkewed',
    'The difference between the request time and the current time is too large.',
  ],
  'wrong-region': [
    301,
    'PermanentRedirect',
    'The bucket you are attempting to access must be addressed using another endpoint.',
  ],
  'bad-key-id': [403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.'],
} as const satisfies Readonly<Record<string, readonly [status: number, code: string, message: string]>>;

const SEED = 'faults';

export class Faults {
  readonly #faults: { readonly fault: Fault; left: number }[];
  readonly #random = new Random(SEED);

  constructor(faults: readonly Fault[]) {
    this.#faults = faults.map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }));
  }

  /** The first one that strikes this request. */
  strike(on: 'list' | 'get', key: string): Fault | null {
    const found = this.#faults.find(
      ({ fault, left }) =>
        left > 0 &&
        (fault.on ?? on) === on &&
        (fault.key ?? key) === key &&
        (fault.probability === undefined || this.#random.chance(fault.probability)),
    );
    if (found === undefined) return null;
    found.left--;
    return found.fault;
  }
}

export const isRefusal = (fault: FaultKind): fault is Refusal => fault in REFUSALS;

export function refuse(response: ServerResponse, name: Refusal, headers: Readonly<Record<string, string>> = {}): void {
  const [status, code, message] = REFUSALS[name];
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${xmlEscaped(message)}</Message></Error>`;
  send(response, status, { 'content-type': 'application/xml', ...headers }, Buffer.from(body), null);
}

/** Sends a body whole, or as the fault has it. */
export function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  bytes: Uint8Array,
  fault: BodyFault | null,
): void {
  const half = bytes.subarray(0, bytes.length >> 1);
  const body = fault === 'short' ? half : fault === 'long' ? Buffer.concat([bytes, bytes]) : bytes;
  response.writeHead(status, { 'content-length': body.length, ...headers });
  if (fault === 'stall' || fault === 'cut') {
    response.write(half, () => {
      if (fault === 'cut') response.destroy();
    });
    // Headers alone go out with an empty write.
    if (half.length === 0) response.flushHeaders();
  } else response.end(body);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const xmlEscaped = (text: string): string => text.replace(/[&<>"]/gu, (char) => ENTITIES[char] ?? char);
