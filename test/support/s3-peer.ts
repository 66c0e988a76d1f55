/** A small S3 on loopback that serves one bucket, counts what it is asked for, and fails when and how it is told to. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BodyFault,
  type Fault,
  type FaultKind,
  Faults,
  isRefusal,
  type Refusal,
  refuse,
  send,
  xmlEscaped,
} from './s3-faults.ts';
import { signatureOf } from './s3-signature.ts';

export interface PeerObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** With its quotes. */
  readonly etag: string;
  readonly body: () => Uint8Array;
}

export interface PeerOptions {
  readonly bucket: string;
  readonly objects: readonly PeerObject[];
  readonly faults?: readonly Fault[];
  /** Before each answer. */
  readonly latencyMs?: number;
  /** Keys a page at most, as S3 has it. */
  readonly pageKeys?: number;
  /** Refuses requests that do not say that the requester pays. */
  readonly requesterPays?: boolean;
  /** Refuses requests that are not signed with this secret access key, for this region, by a clock that agrees to a quarter of an hour. */
  readonly signed?: { readonly secret: string; readonly region: string; readonly aheadMs?: number };
  readonly port?: number;
}

export interface PeerCounts {
  list: number;
  get: number;
  keysListed: number;
  faults: number;
}

export interface PeerRequest {
  readonly type: 'list' | 'get';
  /** The key, or the prefix with what follows it in the listing. */
  readonly key: string;
  readonly startAfter: string | null;
  readonly fault: FaultKind | null;
}

export interface S3Peer {
  readonly url: string;
  readonly counts: PeerCounts;
  readonly requests: readonly PeerRequest[];
  close(): Promise<void>;
}

const PAGE_KEYS = 1000;
/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: RequestTimeTooSkewed. */
const SKEW_MAX_MS = 15 * 60_000;

const retryAfter = (fault: Fault | null): Record<string, string> =>
  fault?.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) };

/** S3 orders keys by their bytes in UTF-8; comparing strings would order by UTF-16. */
const inOrder = (a: PeerObject, b: PeerObject): number => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key));

/** Objects that hold these texts or bytes. */
export function objectsOf(contents: Readonly<Record<string, string | Uint8Array>>): PeerObject[] {
  return Object.entries(contents).map(([key, content]) => {
    const bytes = Buffer.from(content);
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    return { key, sizeBytes: bytes.length, etag, body: () => bytes };
  });
}

/** The files below a folder; their bytes are read when they are asked for. */
export function objectsIn(dir: string): PeerObject[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { size, mtimeMs } = statSync(path);
      const key = relative(dir, path).split(sep).join('/');
      return { key, sizeBytes: size, etag: `"${mtimeMs}-${size}"`, body: () => readFileSync(path) };
    });
}

export async function startS3Peer(options: PeerOptions): Promise<S3Peer> {
  const bucket = new PeerBucket(options);
  const server = createServer((request, response) => {
    bucket.answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((listening) => server.listen(options.port ?? 0, '127.0.0.1', () => listening()));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    counts: bucket.counts,
    requests: bucket.requests,
    close: () => closed(server),
  };
}

function closed(server: Server): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  return ended;
}

class PeerBucket {
  readonly counts: PeerCounts = { list: 0, get: 0, keysListed: 0, faults: 0 };
  readonly requests: PeerRequest[] = [];
  readonly #options: PeerOptions;
  readonly #sorted: readonly PeerObject[];
  readonly #byKey: ReadonlyMap<string, PeerObject>;
  readonly #keys: readonly Buffer[];
  readonly #faults: Faults;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#sorted = [...options.objects].sort(inOrder);
    this.#keys = this.#sorted.map(({ key }) => Buffer.from(key));
    this.#byKey = new Map(this.#sorted.map((object) => [object.key, object]));
    this.#faults = new Faults(options.faults ?? []);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A key may hold `//` and dots, which URL would take for something else.
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const [bucket = '', ...rest] = path.slice(1).split('/');
    const key = decodeURIComponent(rest.join('/'));
    const asked = new URLSearchParams(query);
    const type = key === '' ? 'list' : 'get';
    this.counts[type]++;
    const name = type === 'get' ? key : (asked.get('prefix') ?? '');
    const struck = this.#faults.strike(type, name);
    const fault = struck?.kind ?? null;
    if (fault !== null) this.counts.faults++;
    const startAfter = asked.get('continuation-token') ?? asked.get('start-after');
    this.requests.push({ type, key: name, startAfter, fault });
    response.setHeader('date', new Date(this.#nowMs()).toUTCString());
    if (this.#options.latencyMs !== undefined) await sleep(this.#options.latencyMs);
    if (bucket !== this.#options.bucket) return refuse(response, 'no-bucket');
    if (this.#options.requesterPays === true && request.headers['x-amz-request-payer'] !== 'requester')
      return refuse(response, 'denied');
    if (fault === 'hang') return;
    if (fault === 'reset') return void request.socket.resetAndDestroy();
    if (fault !== null && isRefusal(fault)) return refuse(response, fault, retryAfter(struck));
    const refusal = this.#judgeSignature(request);
    if (refusal !== null) return refuse(response, ...refusal);
    if (type === 'list') return send(response, 200, { 'content-type': 'application/xml' }, this.#page(asked), fault);
    return this.#object(key, request, response, fault);
  }

  #judgeSignature(request: IncomingMessage): readonly [why: Refusal, headers?: Record<string, string>] | null {
    const { signed } = this.#options;
    if (signed === undefined) return null;
    const signature = signatureOf(request, signed.secret);
    if (signature?.isRight !== true) return ['bad-signature'];
    if (signature.region !== signed.region) return ['wrong-region', { 'x-amz-bucket-region': signed.region }];
    return Math.abs(this.#nowMs() - signature.timeMs) > SKEW_MAX_MS ? ['wrong-time'] : null;
  }

  #nowMs(): number {
    return Date.now() + (this.#options.signed?.aheadMs ?? 0);
  }

  #object(key: string, request: IncomingMessage, response: ServerResponse, fault: BodyFault | null): void {
    const object = this.#byKey.get(key);
    if (object === undefined) return refuse(response, 'missing');
    const expected = request.headers['if-match'];
    if (expected !== undefined && expected !== object.etag) return refuse(response, 'changed');
    const bytes = object.body();
    const [, first] = /^bytes=(\d+)-$/u.exec(request.headers.range ?? '') ?? [];
    const headers = { etag: object.etag, 'accept-ranges': 'bytes' };
    if (first === undefined || fault === 'ignore-range') return send(response, 200, headers, bytes, fault);
    const range = { ...headers, 'content-range': `bytes ${first}-${bytes.length - 1}/${bytes.length}` };
    return send(response, 206, range, bytes.subarray(Number(first)), fault);
  }

  /** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html. A token is the last key, or the end of the last folder, of its page. */
  #page(asked: URLSearchParams): Buffer {
    const prefix = asked.get('prefix') ?? '';
    const delimiter = asked.get('delimiter') ?? '';
    const limit = Math.min(Number(asked.get('max-keys') ?? PAGE_KEYS), this.#options.pageKeys ?? PAGE_KEYS);
    const text = asked.get('encoding-type') === 'url' ? urlEncoded : xmlEscaped;
    const token = asked.get('continuation-token');
    const after = token === null ? asked.get('start-after') : Buffer.from(token, 'base64').toString();
    const start = Buffer.from(prefix);
    let at = this.#firstFrom(start, false);
    if (after !== null) at = Math.max(at, this.#firstFrom(Buffer.from(after), true));
    const contents: string[] = [];
    const folders: string[] = [];
    let last = '';
    for (; contents.length + folders.length < limit; ) {
      const object = this.#sorted[at];
      if (object === undefined || !object.key.startsWith(prefix)) break;
      const end = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
      if (end < 0) {
        const { key, etag, sizeBytes } = object;
        contents.push(
          `<Contents><Key>${text(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>${xmlEscaped(etag)}</ETag><Size>${sizeBytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
        );
        last = key;
        at++;
      } else {
        const folder = object.key.slice(0, end + delimiter.length);
        folders.push(`<CommonPrefixes><Prefix>${text(folder)}</Prefix></CommonPrefixes>`);
        // Behind all that lies in it.
        last = `${folder}\u{10FFFF}`;
        at = this.#firstFrom(Buffer.from(last), true);
      }
    }
    const isTruncated = this.#sorted[at]?.key.startsWith(prefix) === true && last !== '';
    this.counts.keysListed += contents.length;
    return Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${this.#options.bucket}</Name><Prefix>${text(prefix)}</Prefix>${asked.get('encoding-type') === 'url' ? '<EncodingType>url</EncodingType>' : ''}<KeyCount>${contents.length + folders.length}</KeyCount><MaxKeys>${limit}</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${isTruncated ? `<NextContinuationToken>${Buffer.from(last).toString('base64')}</NextContinuationToken>` : ''}${contents.join('')}${folders.join('')}</ListBucketResult>`,
    );
  }

  /** Index of the first key that is not before `bound`, or is behind it. */
  #firstFrom(bound: Buffer, behind: boolean): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = Buffer.compare(this.#keys[middle] ?? bound, bound);
      if (order < 0 || (behind && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** As S3 encodes keys: a space is a plus, and slashes stay. */
const urlEncoded = (text: string): string =>
  encodeURIComponent(text).replaceAll('%20', '+').replaceAll('%2F', '/').replaceAll("'", '%27');
