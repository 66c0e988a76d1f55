/** Mail by SMTP: text and HTML, one thread for each alert, the result of a question as an attachment. */

import type { Mail } from 'nodemailer';
import type { SMTPTransportOptions } from 'nodemailer/lib/smtp-transport';
import { z } from 'zod';
import { cut } from '../printable.ts';
import { readSecret } from '../secret-value.ts';
import { DeliveryError, type Message, type Sink } from '../sink.ts';
import { SECOND_MS } from '../time.ts';
import { htmlOf } from './html.ts';
import { readCertificates } from './http.ts';
import { sinkType } from './kind.ts';
import { secretPlace, text, timeout } from './options.ts';
import { headline, plainText, quoted, tableCsv } from './text.ts';

const TIMEOUT_MS = 60 * SECOND_MS;
const SUBJECT_MAX = 200;
/** Of a report in the text; the attachment has all of it. */
const TABLE_MAX = 50_000;
/** RFC 6409: submission. */
const PORT = 587;
/** RFC 8314: submission over TLS from the first byte. */
const PORT_TLS = 465;

/** `a@b` or `Name <a@b>`; no name needs more, and none of these can end a header or begin another address. */
const ADDRESS =
  /^(?:[^\p{C}<>"(),:;@\\]*<([^\s\p{C}<>"(),:;@\\]+@[^\s\p{C}<>"(),:;@\\]+)>|([^\s\p{C}<>"(),:;@\\]+@[^\s\p{C}<>"(),:;@\\]+))$/u;
const address = z
  .string('expected a mail address')
  .regex(ADDRESS, 'expected a mail address: soc@example.com or SOC <soc@example.com>');

const options = z
  .strictObject(
    {
      host: text.regex(/^[\w.:-]+$/u, 'expected the name or address of a mail server').describe('The mail server.'),
      port: z
        .int('expected a whole number')
        .min(1, 'expected 1 to 65535')
        .max(65_535, 'expected 1 to 65535')
        .describe('587, or 465 with `tls: always`.')
        .optional(),
      tls: z
        .enum(['starttls', 'always', 'none'], "expected 'starttls', 'always' or 'none'")
        .describe(
          '`starttls` never falls back to plain text; `none` is for a server on this machine or in a network that you trust.',
        )
        .default('starttls'),
      ca: text.describe('A PEM file of certificates to trust in place of the usual ones.').optional(),
      user: text.optional(),
      password: secretPlace.optional(),
      from: address,
      to: z.array(address, 'expected a list of mail addresses').min(1, 'expected at least one mail address'),
      timeout: timeout.default(TIMEOUT_MS),
    },
    'expected a mapping',
  )
  .superRefine(({ tls, user, password }, context) => {
    const tell = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if ((user === undefined) !== (password === undefined)) tell('password', 'expected user and password together');
    if (password !== undefined && tls === 'none')
      tell('tls', "expected 'starttls' or 'always': a password is not sent in plain text");
  });

export const email = sinkType(options, async (given, { id, dir }): Promise<Sink> => {
  const { host, tls, from, to, user, timeout: timeoutMs } = given;
  const password = given.password === undefined ? null : readSecret(given.password, dir);
  const ca = given.ca === undefined ? undefined : readCertificates(given.ca, dir, id);
  const port = given.port ?? (tls === 'always' ? PORT_TLS : PORT);
  const settings: SMTPTransportOptions = {
    host,
    port,
    secure: tls === 'always',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(ca !== undefined && { tls: { ca } }),
    ...(user !== undefined && password !== null && { auth: { user, pass: password.reveal() } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // No value of a message may name a file or an address to attach.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const { createTransport } = await import('nodemailer');
  const domain = mailDomain(from);
  return {
    deliver: async (message, signal) => {
      signal.throwIfAborted();
      const transport = createTransport(settings);
      const mail = mailOf(message, domain);
      try {
        const { rejected } = await untilAborted(transport.sendMail({ ...mail, from, to }), transport, signal);
        // The others have it: another attempt would send it to them once more.
        if (rejected.length > 0)
          throw new DeliveryError('message', `cannot send mail by ${host}: it refused ${quoted(rejected.join(', '))}`);
      } catch (error) {
        signal.throwIfAborted();
        throw error instanceof DeliveryError ? error : mailError(error, host);
      } finally {
        transport.close();
      }
      return message.reference ?? mail.messageId;
    },
    render: (message) => {
      const { subject, messageId, inReplyTo, text: body, attachments } = mailOf(message, domain);
      const heads = {
        From: from,
        To: to.join(', '),
        Subject: subject,
        'Message-ID': messageId,
        ...(inReplyTo !== undefined && { 'In-Reply-To': inReplyTo }),
      };
      const names = attachments.map(({ filename }) => `Attachment: ${filename}\n`);
      return `${Object.entries(heads)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join('')}${names.join('')}\n${body}`;
    },
    close: async () => {},
  };
});

function mailDomain(from: string): string {
  const [, inBrackets, bare] = ADDRESS.exec(from) ?? [];
  return (inBrackets ?? bare ?? '').split('@')[1] ?? 'trailhound';
}

interface Written {
  readonly subject: string;
  readonly messageId: string;
  readonly inReplyTo?: string;
  readonly references?: string;
  readonly text: string;
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly attachments: { readonly filename: string; readonly content: string; readonly contentType: string }[];
}

/** The same key is the same Message-ID, by which most servers drop a mail that comes twice. */
function mailOf(message: Message, domain: string): Written {
  const { key, reference, table } = message;
  const thread = /^<[^\s<>]+>$/u.test(reference ?? '') ? reference : null;
  return {
    subject: cut(`[trailhound] ${headline(message)}`, SUBJECT_MAX),
    messageId: `<${key}@${domain}>`,
    ...(thread !== null && { inReplyTo: thread, references: thread }),
    text: plainText(message, TABLE_MAX),
    html: htmlOf(message),
    // RFC 3834: nobody's holiday answers this.
    headers: { 'Auto-Submitted': 'auto-generated' },
    attachments:
      table === null
        ? []
        : [{ filename: `${key}.csv`, content: tableCsv(table), contentType: 'text/csv; charset=utf-8' }],
  };
}

/** nodemailer cannot be told to stop: its connection is left to end by itself. */
function untilAborted<T>(sending: Promise<T>, transport: Pick<Mail, 'close'>, signal: AbortSignal): Promise<T> {
  return new Promise((settle, reject) => {
    const abort = () => {
      transport.close();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    sending.then(settle, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** RFC 5321: 5yz to the content itself is final; refused senders, recipients and credentials stand in the config and concern every mail. */
function mailError(error: unknown, host: string): DeliveryError {
  const {
    code,
    responseCode = 0,
    message = String(error),
  } = error as { code?: string; responseCode?: number; message?: string };
  const isContent = code === 'EMESSAGE' && responseCode >= 500;
  return new DeliveryError(isContent ? 'message' : 'sink', `cannot send mail by ${host}: ${quoted(message)}`);
}
