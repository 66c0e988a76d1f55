/** A webhook against servers that fail in every way, and against names that lead where no request may go. */
import { promises as dns } from 'node:dns';
import { connect, createServer as createTcpServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CERTIFICATE } from '../support/certificate.ts';
import { type HttpPeer, startHttpPeer } from '../support/http-peer.ts';
import { alertMessage } from '../support/messages.ts';
import { open, outcome } from '../support/sinks.ts';

const SECRET_PATH = '/services/T000/B000/a-very-secret-path';
let peer: HttpPeer;
beforeAll(async () => {
  peer = await startHttpPeer();
});
afterAll(() => peer.close());
afterEach(() => {
  peer.received.length = 0;
  peer.answer = (response) => response.end('ok');
});

const webhook = (url: string, options: object = {}) =>
  open('webhook', { url, allow_private: true, timeout: '2s', ...options });
const post = async (url: string, options: object = {}) => outcome(await webhook(url, options), alertMessage());

describe('an answer', () => {
  test.each([
    [200, {}, 'taken'],
    [204, {}, 'taken'],
    [400, {}, 'message: cannot POST to HOST: status 400: no'],
    [413, {}, 'message: cannot POST to HOST: status 413: no'],
    [401, {}, 'sink: cannot POST to HOST: status 401: no'],
    [403, {}, 'sink: cannot POST to HOST: status 403: no'],
    [404, {}, 'sink: cannot POST to HOST: status 404: no'],
    [408, {}, 'sink: cannot POST to HOST: status 408: no'],
    [410, {}, 'sink: cannot POST to HOST: status 410: no'],
    [429, { 'retry-after': '7' }, 'sink: cannot POST to HOST: status 429: no (after 7000 ms)'],
    [500, {}, 'sink: cannot POST to HOST: status 500: no'],
    [503, { 'retry-after': 'soon' }, 'sink: cannot POST to HOST: status 503: no'],
    [
      302,
      { location: 'http://127.0.0.1:1/' },
      'sink: cannot POST to HOST: status 302, a redirect, which is not followed',
    ],
  ])('of %i', async (status, headers, expected) => {
    peer.answer = (response) =>
      response.writeHead(status, headers as Record<string, string>).end(status === 204 ? '' : 'no');
    expect((await post(peer.url)).replace(/127\.0\.0\.1:\d+/, 'HOST')).toBe(expected);
    expect(peer.received).toHaveLength(1);
  });

  test('with a date to wait for', async () => {
    peer.answer = (response) =>
      response.writeHead(429, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }).end();
    const [, ms] = /after (\d+) ms/.exec((await post(peer.url)).replace(/\.\d+ ms/, ' ms')) ?? [];
    expect(Number(ms)).toBeGreaterThan(50_000);
  });

  test('is quoted in 200 printable characters, without the secret path that it repeats', async () => {
    process.env['TRAILHOUND_TEST_URL'] = `${peer.url}${SECRET_PATH}`;
    peer.answer = (response, { url }) => response.writeHead(404).end(`\u001b[31m${url}\r\n${'x'.repeat(5000)}`);
    const said = await post('env:TRAILHOUND_TEST_URL');
    expect(said).toMatch(/^sink: cannot POST to [\d.:]+: status 404: \\x1b\[31m\*\*\*\* x+…$/);
    expect(said.length).toBeLessThan(260);
  });

  test('of a gigabyte is not read', async () => {
    peer.answer = (response) => {
      const more = () => {
        while (response.write(Buffer.alloc(65_536, 0x78)));
      };
      response.on('drain', more);
      response.writeHead(500);
      more();
    };
    expect(await post(peer.url)).toMatch(/status 500: x{199}…$/);
  });
});

describe('no answer', () => {
  test('the connection is reset', async () => {
    peer.answer = (response) => response.socket?.resetAndDestroy();
    expect(await post(peer.url)).toMatch(/^sink: cannot POST to [\d.:]+: .*(ECONNRESET|hang up)/);
  });

  test('the server hangs', async () => {
    peer.answer = () => undefined;
    expect(await post(peer.url, { timeout: '1s' })).toMatch(/^sink: .*: no answer within 1 s$/);
  });

  test('the body never ends', async () => {
    peer.answer = (response) => response.write('x');
    expect(await post(peer.url, { timeout: '1s' })).toMatch(/no answer within 1 s$/);
  });

  test('nobody listens', async () => {
    expect(await post('http://127.0.0.1:9')).toMatch(/^sink: cannot POST to 127\.0\.0\.1:9: .*ECONNREFUSED/);
  });

  test('a run that ends tells so, and is no refusal', async () => {
    peer.answer = () => undefined;
    const ending = new AbortController();
    const delivery = (await webhook(peer.url)).deliver(alertMessage(), ending.signal);
    setTimeout(() => ending.abort(new Error('the run ends')), 50);
    await expect(delivery).rejects.toThrow('the run ends');
  });
});

describe('without allow_private', () => {
  test.each([
    'https://127.0.0.1',
    'https://[::1]',
    'https://[::ffff:127.0.0.1]',
    'https://2130706433',
    'https://0x7f.1',
    'https://127.1',
    'https://169.254.169.254',
    'https://10.0.0.1',
    'https://localhost',
  ])('%s is refused', async (url) => {
    const sink = await open('webhook', { url: `${url}:${peer.port}/`, timeout: '5s' });
    expect(await outcome(sink, alertMessage())).toMatch(
      /^sink: cannot POST to .*: \S+ is no public address: allow_private: true lets/,
    );
    expect(peer.received).toEqual([]);
  });

  test('a name of this machine leads to loopback, and nothing is connected to', async () => {
    const addresses = await dns.lookup('localhost', { all: true });
    expect(addresses.map(({ address }) => address)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(127\.|::1)/)]),
    );
    let connections = 0;
    const listening = createTcpServer(() => connections++);
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const { port } = listening.address() as { port: number };
    const sink = await open('webhook', { url: `https://localhost:${port}/`, timeout: '5s' });
    expect(await outcome(sink, alertMessage())).toContain('is no public address');
    expect(connections).toBe(0);
    // The server would have noticed one.
    const noticed = connect(port, '127.0.0.1', () => noticed.destroy());
    await expect.poll(() => connections).toBe(1);
    await new Promise((resolve) => listening.close(resolve));
  });
});

test('TLS is verified, and a certificate of one’s own can be trusted', async () => {
  const secure = await startHttpPeer(CERTIFICATE);
  try {
    expect(await post(secure.url)).toMatch(/^sink: .*self-signed certificate/);
    expect(secure.received).toEqual([]);
    expect(await post(secure.url, { ca: CERTIFICATE.path })).toBe('taken');
  } finally {
    await secure.close();
  }
});
