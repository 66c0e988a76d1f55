/** A proxy on loopback in front of a server of AWS: sees every request, may answer itself, and knows which messages were handed out. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

export interface Seen {
  /** `SQS:ReceiveMessage`, or for S3 the method and the path. */
  readonly action: string;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface AwsProxy {
  readonly url: string;
  readonly seen: readonly Seen[];
  count(action: string): number;
  /** Resolves when the server has answered all that it was asked so far. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export type Intercept = (seen: Seen) => Answer | 'drop' | null | Promise<Answer | 'drop' | null>;

/** `intercept` answers in place of the server, drops the connection by `'drop'`, or lets pass by null; `answered` sees what the server said. */
export async function startProxy(
  target: string,
  intercept: Intercept = () => null,
  answered: (seen: Seen, body: string) => void = () => undefined,
): Promise<AwsProxy> {
  const seen: Seen[] = [];
  /** moto's queues are not safe for threads: https://github.com/getmoto/moto runs each request in one. */
  let turn: Promise<void> = Promise.resolve();
  const inTurn = async (use: () => Promise<void>): Promise<void> => {
    const before = turn;
    let done: () => void = () => undefined;
    turn = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    await use().finally(done);
  };
  const server = createServer((incoming, outgoing) => {
    (async () => {
      const body = await textOf(incoming);
      const amzTarget = incoming.headers['x-amz-target'];
      const action =
        typeof amzTarget === 'string'
          ? amzTarget.replace(/^AmazonSQS\./, 'SQS:')
          : `${incoming.method} ${incoming.url}`;
      const one: Seen = { action, body };
      seen.push(one);
      const answer = await intercept(one);
      if (answer === 'drop') return void outgoing.destroy();
      if (answer !== null) {
        outgoing.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
        return void outgoing.end(answer.body);
      }
      // A long poll would keep the others from their turn, and go on without the one that it was for.
      const sent = body.replace(/"WaitTimeSeconds":\d+/, '"WaitTimeSeconds":1');
      const pass = () => forward(target, incoming, sent, outgoing, (text) => answered(one, text));
      await (action.startsWith('SQS:') ? inTurn(pass) : pass());
    })().catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    idle: () => turn,
    count: (action) => seen.filter((one) => one.action === action).length,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function forward(
  target: string,
  { method, url, headers }: IncomingMessage,
  body: string,
  outgoing: ServerResponse,
  answered: (body: string) => void,
): Promise<void> {
  const { hostname, port } = new URL(target);
  return new Promise((resolve) => {
    const passed = request(
      { hostname, port, method, path: url, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          answered(Buffer.concat(chunks).toString());
          outgoing.writeHead(response.statusCode ?? 500, response.headers);
          outgoing.end(Buffer.concat(chunks));
          resolve();
        });
      },
    );
    passed.on('error', () => {
      outgoing.destroy();
      resolve();
    });
    passed.end(body);
  });
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
