/** Any HTTP endpoint: the message as JSON, or a body of one's own, signed where a secret is shared. */
import { createHmac } from 'node:crypto';
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { readSecret } from '../secret-value.ts';
import type { Message, Sink } from '../sink.ts';
import { SECOND_MS } from '../time.ts';
import { openEndpoint, send, urlProblem } from './http.ts';
import { messageJson, messageObject } from './json.ts';
import { type SinkContext, sinkType } from './kind.ts';
import { flag, secretPlace, text, timeout } from './options.ts';
import { fillTemplate, parseTemplate, templateProblem } from './template.ts';

const TIMEOUT_MS = 30 * SECOND_MS;
/** What common receivers (API Gateway: 10 MB, Lambda's URLs: 6 MB, Splunk: 1 MB) take. */
const BODY_MAX_BYTES = 1_000_000;
/** Set by the connection, or by us. */
const OWN_HEADERS = /^(?:host|content-length|transfer-encoding|connection|idempotency-key|x-trailhound-signature)$/iu;

const isSecretPlace = (value: string): boolean => secretPlace.safeParse(value).success;

const options = z
  .strictObject(
    {
      url: text.describe('An https:// URL, or `env:NAME` or `file:path` where the URL itself is a secret.'),
      method: z.enum(['POST', 'PUT', 'PATCH'], "expected 'POST', 'PUT' or 'PATCH'").default('POST'),
      headers: z
        .record(
          z
            .string()
            .regex(/^[!#$%&'*+.^`|~\w-]+$/u, 'expected the name of a header')
            .refine(
              (name) => !OWN_HEADERS.test(name),
              'expected another header: this one is set by the request itself',
            ),
          z.string('expected a text').regex(/^[\t\u0020-\u007e]*$/u, 'expected printable ASCII'),
          'expected names and values of headers',
        )
        .describe('Further headers; a value `env:NAME` or `file:path` is a secret.')
        .default({}),
      secret: secretPlace.describe('Signs each request: header `X-Trailhound-Signature`.').optional(),
      body: z
        .unknown()
        .superRefine((body, context) => {
          const problem = body === undefined ? null : templateProblem(body);
          if (problem !== null) context.addIssue({ code: 'custom', message: problem });
        })
        .describe('A body of your own with placeholders such as `{{alert.title}}`.')
        .optional(),
      timeout: timeout.default(TIMEOUT_MS),
      allow_private: flag.describe('Lets it reach private networks, this machine, and plain http.').default(false),
      ca: text.describe('A PEM file of certificates to trust in place of the usual ones.').optional(),
    },
    'expected a mapping',
  )
  .superRefine(({ url, allow_private: allowPrivate }, context) => {
    const problem = isSecretPlace(url) ? null : urlProblem(url, allowPrivate);
    if (problem !== null)
      context.addIssue({ code: 'custom', path: ['url'], message: `${problem}, or env:NAME or file:path` });
  });

export const webhook = sinkType(options, async (given, context): Promise<Sink> => {
  const { method, timeout: timeoutMs } = given;
  const endpoint = openEndpoint(given.url, { ...context, allowPrivate: given.allow_private, ca: given.ca });
  const secret = given.secret === undefined ? null : readSecret(given.secret, context.dir);
  const headers = openHeaders(given.headers, context);
  const template = given.body === undefined ? null : parseTemplate(given.body);
  const bodyOf = (message: Message): string =>
    template === null
      ? messageJson(message, BODY_MAX_BYTES)
      : fillTemplate(template, messageObject(message), BODY_MAX_BYTES);
  const type = template !== null && 'text' in template ? 'text/plain; charset=utf-8' : 'application/json';
  return {
    deliver: async (message, signal) => {
      const body = bodyOf(message);
      const at = Math.floor(Date.now() / SECOND_MS);
      const sent = {
        'content-type': type,
        ...headers,
        'idempotency-key': message.key,
        ...(secret !== null && { 'x-trailhound-signature': `t=${at},v1=${signatureOf(secret.reveal(), at, body)}` }),
      };
      await send(endpoint, { method, headers: sent, body, timeoutMs }, signal);
      return null;
    },
    render: (message) =>
      `${method} ${isSecretPlace(given.url) ? given.url : endpoint.url.href}\nidempotency-key: ${message.key}\n\n${bodyOf(message)}`,
    close: async () => {},
  };
});

/** Of the time and the body together, so that neither can be exchanged. */
function signatureOf(secret: string, at: number, body: string): string {
  return createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
}

/** Names in lower case, so that one of the config takes the place of one of ours. */
function openHeaders(given: Readonly<Record<string, string>>, { id, dir }: SinkContext): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).map(([name, place]) => {
      const value = isSecretPlace(place) ? readSecret(place, dir).reveal() : place;
      try {
        validateHeaderName(name);
        validateHeaderValue(name, value);
      } catch {
        throw new AppError(
          'config-invalid',
          `sink ${id}: cannot use ${place} for the header ${name}: expected one line of text`,
        );
      }
      return [name.toLowerCase(), value];
    }),
  );
}
