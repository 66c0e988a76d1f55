/** Mail against an SMTP server on loopback: what arrives, and what becomes of each refusal. */
import { createServer as createTcpServer } from 'node:net';
import type { SMTPServerOptions } from 'smtp-server';
import { describe, expect, test } from 'vitest';
import { checkSinkOptions } from '../../src/sinks/open.ts';
import { CERTIFICATE } from '../support/certificate.ts';
import { type MailPeer, pythonMissing, readMails, startMailPeer } from '../support/mail.ts';
import { ALERT, alertMessage, REPORT } from '../support/messages.ts';
import { open, outcome } from '../support/sinks.ts';

const OPTIONS = {
  host: '127.0.0.1',
  tls: 'none',
  from: 'Trailhound <alerts@example.com>',
  to: ['soc@example.com', 'Night Shift <night@example.com>'],
  timeout: '2s',
};

async function withPeer(options: SMTPServerOptions, use: (peer: MailPeer) => Promise<void>): Promise<void> {
  const peer = await startMailPeer(options);
  try {
    await use(peer);
  } finally {
    await peer.close();
  }
}

const send = async (port: number, options: object = {}, message = alertMessage()) =>
  outcome(await open('email', { ...OPTIONS, port, ...options }), message);

describe.skipIf(pythonMissing)('a mail', () => {
  test('has text and HTML, and a Message-ID from the key', () =>
    withPeer({}, async (peer) => {
      expect(await send(peer.port)).toBe('taken');
      expect(peer.envelopes).toEqual([['alerts@example.com', 'soc@example.com', 'night@example.com']]);
      const [mail] = readMails(peer.mails);
      expect(Object.fromEntries(mail?.headers ?? [])).toMatchObject({
        From: 'Trailhound <alerts@example.com>',
        To: 'soc@example.com, Night Shift <night@example.com>',
        Subject: '[trailhound] critical: CloudTrail logging was stopped',
        'Message-ID': `<${ALERT.id}-1@example.com>`,
        'Auto-Submitted': 'auto-generated',
      });
      expect([mail?.parts.map(({ type }) => type), mail?.defects]).toEqual([['text/plain', 'text/html'], []]);
      expect(mail?.parts[0]?.content.replaceAll('\r\n', '\n').trimEnd()).toBe(
        [
          'critical: CloudTrail logging was stopped',
          '',
          'Severity    critical',
          'Time        2026-03-02T10:00:00Z to 2026-03-02T10:05:00.250Z',
          'Who         user/dora 111122223333',
          `What        ${ALERT.summary}`,
          'Where from  198.51.100.7 +1 eu-central-1',
          'Account     111122223333',
          'Events      3',
          'Detector    trail-logging-stopped',
          `Alert       ${ALERT.id}`,
          '',
          `trailhound alerts show ${ALERT.id}`,
        ].join('\n'),
      );
    }));

  test('about the same alert is an answer to the first', () =>
    withPeer({}, async (peer) => {
      const sink = await open('email', { ...OPTIONS, port: peer.port });
      const signal = new AbortController().signal;
      const reference = await sink.deliver(alertMessage(), signal);
      expect(
        await sink.deliver(alertMessage({ status: 'closed' }, { key: 'second', change: 'closed', reference }), signal),
      ).toBe(reference);
      const heads = Object.fromEntries(readMails(peer.mails)[1]?.headers ?? []);
      expect(heads).toMatchObject({
        'Message-ID': '<second@example.com>',
        'In-Reply-To': reference,
        References: reference,
        Subject: '[trailhound] critical: CloudTrail logging was stopped (closed)',
      });
    }));

  test('with a report has it as a table and as CSV without formulas', () =>
    withPeer({}, async (peer) => {
      await send(peer.port, {}, REPORT);
      const [mail] = readMails(peer.mails);
      const [text, html, csv] = mail?.parts ?? [];
      expect(text?.content).toMatch(/principal +calls\r?\ndora +12\r?\n=HYPERLINK.*-3\r?\n3 more rows/);
      expect(html?.content).toContain('<td align="left">=HYPERLINK(&quot;http://evil.example&quot;)</td>');
      expect([csv?.type, csv?.filename, csv?.content.replaceAll('\r\n', '\n')]).toEqual([
        'text/csv',
        'report-1.csv',
        'principal,calls\ndora,12\n"\'=HYPERLINK(""http://evil.example"")",-3\n',
      ]);
    }));
});

describe('what a server refuses', () => {
  const refuse = (code: number, text: string) => Object.assign(new Error(text), { responseCode: code });

  test.each<[string, SMTPServerOptions, RegExp]>([
    [
      'the sender',
      { onMailFrom: (_a, _s, callback) => callback(refuse(550, 'no such sender')) },
      /^sink: cannot send mail by 127\.0\.0\.1: .*550 no such sender/,
    ],
    ['all recipients', { onRcptTo: (_a, _s, callback) => callback(refuse(550, 'nobody')) }, /^sink: .*550 nobody/],
    ['for now', { onMailFrom: (_a, _s, callback) => callback(refuse(451, 'greylisted')) }, /^sink: .*451 greylisted/],
    [
      'one recipient',
      { onRcptTo: ({ address }, _s, callback) => callback(address.startsWith('night') ? refuse(550, 'asleep') : null) },
      /^message: cannot send mail by 127\.0\.0\.1: it refused night@example\.com$/,
    ],
    [
      'the content',
      {
        onData: (stream, _s, callback) =>
          void stream.resume().on('end', () => callback(refuse(554, 'looks like spam'))),
      },
      /^message: .*554 looks like spam/,
    ],
    [
      'the content for now',
      { onData: (stream, _s, callback) => void stream.resume().on('end', () => callback(refuse(452, 'disk full'))) },
      /^sink: .*452 disk full/,
    ],
    ['whoever connects', { onConnect: (_s, callback) => callback(refuse(554, 'go away')) }, /^sink: .*go away/],
  ])('%s', (_name, options, expected) =>
    withPeer(options, async ({ port }) => {
      expect(await send(port)).toMatch(expected);
    }),
  );
});

describe('no mail server', () => {
  test('nobody listens', async () => {
    expect(await send(9)).toMatch(/^sink: cannot send mail by 127\.0\.0\.1: .*ECONNREFUSED/);
  });

  test.each<[string, string | null, RegExp]>([
    ['it hangs', null, /^sink: .*(Greeting never received|timeout)/i],
    ['it speaks another language', 'HTTP/1.1 400 Bad Request\r\n\r\n', /^sink: .*Invalid greeting/i],
  ])('%s', async (_name, greeting, expected) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      if (greeting !== null) socket.end(greeting);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    expect(await send((server.address() as { port: number }).port, { timeout: '1s' })).toMatch(expected);
    server.close();
  });

  test('a run that ends does not wait for it', async () => {
    const server = createTcpServer((socket) => void socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ending = new AbortController();
    const sink = await open('email', { ...OPTIONS, port: (server.address() as { port: number }).port });
    const delivery = sink.deliver(alertMessage(), ending.signal);
    setTimeout(() => ending.abort(new Error('the run ends')), 50);
    await expect(delivery).rejects.toThrow('the run ends');
    server.close();
  });
});

describe('TLS and passwords', () => {
  const ca = CERTIFICATE.path;
  const secured = (): SMTPServerOptions => ({
    disabledCommands: [],
    key: CERTIFICATE.key,
    cert: CERTIFICATE.cert,
    onAuth: ({ username, password }, _session, callback) =>
      username === 'hound' && password === 'right-password'
        ? callback(null, { user: username })
        : callback(new Error('wrong password')),
  });
  const login = (password: string) => {
    process.env['TRAILHOUND_TEST_SMTP'] = password;
    return { user: 'hound', password: 'env:TRAILHOUND_TEST_SMTP' };
  };

  test.each(['starttls', 'always'])('%s, with a password', (tls) =>
    withPeer({ ...secured(), secure: tls === 'always', authOptional: false }, async ({ port, mails }) => {
      expect(await send(port, { tls, ca, ...login('right-password') })).toBe('taken');
      expect(await send(port, { tls, ca, ...login('wrong-password') })).toMatch(
        /^sink: cannot send mail by 127\.0\.0\.1: Invalid login/,
      );
      expect(await send(port, { tls, ...login('right-password') })).toMatch(/^sink: .*self-signed certificate/);
      expect(mails).toHaveLength(1);
    }),
  );

  test('a server without STARTTLS gets no mail in plain text', () =>
    withPeer({}, async ({ port, mails }) => {
      expect(await send(port, { tls: 'starttls' })).toMatch(/^sink: /);
      expect(mails).toEqual([]);
    }));
});

describe('options', () => {
  const good = { host: 'mail.example.com', from: 'a@example.com', to: ['b@example.com'] };
  test.each([
    [good, []],
    [{ ...good, to: 'b@example.com' }, ['to: expected a list of mail addresses']],
    [{ ...good, to: [] }, ['to: expected at least one mail address']],
    [
      { ...good, to: ['b@example.com\r\nBcc: c@example.com'] },
      ['to.0: expected a mail address: soc@example.com or SOC <soc@example.com>'],
    ],
    [
      { ...good, to: ['b@example.com, c@example.com'] },
      ['to.0: expected a mail address: soc@example.com or SOC <soc@example.com>'],
    ],
    [{ ...good, from: 'nobody' }, ['from: expected a mail address: soc@example.com or SOC <soc@example.com>']],
    [{ ...good, user: 'x' }, ['password: expected user and password together']],
    [
      { ...good, user: 'x', password: 'env:P', tls: 'none' },
      ["tls: expected 'starttls' or 'always': a password is not sent in plain text"],
    ],
    [{ ...good, port: 0 }, ['port: expected 1 to 65535']],
    [{ ...good, cc: [] }, ['cc: unknown key: expected one of host, port, tls, ca, user, password, from, to, timeout']],
  ])('%j', (options, problems) => {
    expect(checkSinkOptions('email', options).map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual(
      problems,
    );
  });
});
