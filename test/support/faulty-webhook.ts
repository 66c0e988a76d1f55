/** A receiver of webhooks on loopback that keeps what it took, and that fails as it is told. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Receipt {
  readonly atMs: number;
  readonly key: string;
  readonly body: string;
}

/** `lost`: it takes the message, and its answer never arrives. `down`: nobody listens. */
export const FAULTS = ['unavailable', 'reset', 'lost', 'hang', 'throttle', 'down'] as const;
export type Fault = (typeof FAULTS)[number];

export class FaultyWebhook {
  /** All that was taken, repeats included. */
  readonly receipts: Receipt[] = [];
  readonly failed: Record<Fault, number> = { unavailable: 0, reset: 0, lost: 0, hang: 0, throttle: 0, down: 0 };
  #fault: Fault | null = null;
  #server: Server | null = null;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  async open(): Promise<this> {
    const server = createServer((request, response) => {
      // A client that is killed in the middle of a request is part of the proof.
      this.#answer(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the webhook has no port');
    this.#port = address.port;
    this.#server = server;
    return this;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** From now on; null: all is well. */
  async fail(fault: Fault | null): Promise<void> {
    this.#fault = fault;
    if (fault === 'down') {
      this.failed.down++;
      await this.close();
    } else if (this.#server === null) await this.open();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.#fault;
    if (fault !== null) this.failed[fault]++;
    if (fault === 'reset') return void request.socket.destroy();
    const body = await text(request);
    if (fault === null || fault === 'lost')
      this.receipts.push({ atMs: Date.now(), key: String(request.headers['idempotency-key']), body });
    if (fault === null) response.writeHead(204).end();
    else if (fault === 'unavailable') response.writeHead(503).end('try again');
    else if (fault === 'throttle') response.writeHead(429, { 'retry-after': '2' }).end();
    else if (fault === 'lost') request.socket.destroy();
  }
}
