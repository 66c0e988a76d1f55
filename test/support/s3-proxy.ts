/** Stands between a client and an S3: counts what is asked for and answered, and fails when and how it is told to. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BodyFault, type Fault, Faults, isRefusal, refuse, send } from './s3-faults.ts';

export interface S3Proxy {
  readonly url: string;
  readonly counts: { list: number; get: number; keysListed: number; faults: number };
  close(): Promise<void>;
}

/** In front of a server on this port of loopback. */
export async function startS3Proxy(port: number, faults: readonly Fault[] = []): Promise<S3Proxy> {
  const counts = { list: 0, get: 0, keysListed: 0, faults: 0 };
  const striking = new Faults(faults);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const type = /^\/[^/]+\/?\?.*list-type=2/u.test(request.url ?? '') ? 'list' : 'get';
    counts[type]++;
    const fault = striking.strike(type, '')?.kind ?? null;
    if (fault !== null) counts.faults++;
    if (fault === 'hang') return;
    if (fault === 'reset') return void request.socket.resetAndDestroy();
    if (fault !== null && isRefusal(fault)) return refuse(response, fault);
    const { status, headers, body } = await forward(port, request);
    if (type === 'list') counts.keysListed += body.toString().split('<Key>').length - 1;
    send(response, status, headers, body, fault satisfies BodyFault | null);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    close: () => {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return ended;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

function forward(port: number, { method, url, headers }: IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path: url, headers: { ...headers, connection: 'close' } };
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const kept = Object.entries(response.headers).filter(
          (entry): entry is [string, string] =>
            typeof entry[1] === 'string' && !/^(?:connection|content-length|transfer-encoding|date)$/u.test(entry[0]),
        );
        resolve({
          status: response.statusCode ?? 502,
          headers: Object.fromEntries(kept),
          body: Buffer.concat(chunks),
        });
      });
    });
    request.on('error', reject);
    request.end();
  });
}
