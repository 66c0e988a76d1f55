/** A server on loopback that keeps what it was sent and answers as it is told. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpPeer {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** How the next requests are answered; 200 without it. */
  answer: (response: ServerResponse, request: Received) => void;
  close(): Promise<void>;
}

export async function startHttpPeer(tls?: { readonly key: string; readonly cert: string }): Promise<HttpPeer> {
  const received: Received[] = [];
  const listener: RequestListener = (incoming, outgoing) => {
    bodyOf(incoming).then(
      (body) => {
        const one = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, body };
        received.push(one);
        peer.answer(outgoing, one);
      },
      () => outgoing.destroy(),
    );
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  const peer: HttpPeer = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    port: address.port,
    received,
    answer: (response) => response.end('ok'),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return peer;
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
