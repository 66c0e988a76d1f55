/** Slack, by an incoming webhook, or by a bot's token with one thread for each alert. */
import { z } from 'zod';
import { cut, json } from '../printable.ts';
import { readSecret } from '../secret-value.ts';
import { DeliveryError, type Message, type Sink } from '../sink.ts';
import { SECOND_MS } from '../time.ts';
import { openEndpoint, send, urlProblem } from './http.ts';
import { sinkType } from './kind.ts';
import { flag, secretPlace, text, timeout } from './options.ts';
import { factsOf, headline, ownText, quoted, seeMore, tableText } from './text.ts';

const TIMEOUT_MS = 30 * SECOND_MS;
const API = 'https://slack.com/api';
/** https://docs.slack.dev/reference/block-kit/blocks/header-block */
const HEADER_MAX = 150;
/** Slack refuses the blocks of a message above some 13,000 characters; these add up to less. */
const TEXT_MAX = 2500;
const TABLE_MAX = 3000;
/** Of many alerts the first are told in full. */
const ALERTS_MAX = 5;
/** Of one fact; nine facts of five alerts and the rest stay below the limit. */
const FACT_MAX = 120;
const ONLY_FACT_MAX = 500;

/** Errors of chat.postMessage that are about what was posted: https://docs.slack.dev/reference/methods/chat.postMessage. All others are about the channel, the token or the pace. */
const MESSAGE_ERRORS: ReadonlySet<string> = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
  'no_text',
  'too_many_attachments',
  'cannot_reply_to_message',
  'thread_locked',
]);

const options = z
  .strictObject(
    {
      webhook: secretPlace.describe('URL of an incoming webhook.').optional(),
      token: secretPlace
        .describe('Token of a bot (`xoxb-…`) with the scope `chat:write`, in place of `webhook`.')
        .optional(),
      channel: text.describe('With `token`: id of a channel that the bot is a member of.').optional(),
      endpoint: text
        .describe('With `token`: another address of the API, such as https://slack-gov.com/api.')
        .default(API),
      timeout: timeout.default(TIMEOUT_MS),
      allow_private: flag
        .describe('Lets it reach private networks, such as a server of your own that speaks like Slack.')
        .default(false),
    },
    'expected a mapping',
  )
  .superRefine(({ webhook, token, channel, endpoint, allow_private: allowPrivate }, context) => {
    const tell = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if ((webhook === undefined) === (token === undefined))
      tell('webhook', 'expected either webhook, or token and channel');
    if ((token === undefined) !== (channel === undefined)) tell('channel', 'expected token and channel together');
    const problem = urlProblem(endpoint, allowPrivate);
    if (problem !== null) tell('endpoint', problem);
  });

export const slack = sinkType(options, async (given, context): Promise<Sink> => {
  const { channel, timeout: timeoutMs } = given;
  const token = given.token === undefined ? null : readSecret(given.token, context.dir);
  const url = given.webhook ?? `${given.endpoint.replace(/\/+$/u, '')}/chat.postMessage`;
  const endpoint = openEndpoint(url, { ...context, allowPrivate: given.allow_private });
  const bodyOf = (message: Message): string => {
    const thread = token === null ? null : threadOf(message.reference);
    return json({
      ...(channel !== undefined && { channel }),
      ...(thread !== null && { thread_ts: thread }),
      ...payloadOf(message),
    });
  };
  return {
    deliver: async (message, signal) => {
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        ...(token !== null && { authorization: `Bearer ${token.reveal()}` }),
      };
      const answer = await send(endpoint, { method: 'POST', headers, body: bodyOf(message), timeoutMs }, signal);
      return token === null ? null : (message.reference ?? referenceIn(answer));
    },
    render: (message) => bodyOf(message),
    close: async () => {},
  };
});

/** `channel:ts` */
function threadOf(reference: string | null): string | null {
  return /^[^:]+:(\d+\.\d+)$/u.exec(reference ?? '')?.[1] ?? null;
}

/** Slack answers 200 whatever happened. */
function referenceIn(answer: string): string | null {
  let said: unknown;
  try {
    said = JSON.parse(answer);
  } catch {
    throw new DeliveryError('sink', `cannot post to Slack: the answer is no JSON: ${quoted(answer)}`);
  }
  const { ok, error, channel, ts } = said as Record<string, unknown>;
  if (ok === true) return typeof channel === 'string' && typeof ts === 'string' ? `${channel}:${ts}` : null;
  const why = typeof error === 'string' ? error : 'no reason given';
  throw new DeliveryError(MESSAGE_ERRORS.has(why) ? 'message' : 'sink', `cannot post to Slack: ${quoted(why)}`);
}

/** Values stand in `plain_text` and in `text` elements of `rich_text`, where Slack reads no markup, no mention and no link. */
function payloadOf(message: Message): Record<string, unknown> {
  const { alerts, table } = message;
  const own = cut(ownText(message), TEXT_MAX);
  const more = seeMore(message);
  const factMax = alerts.length === 1 ? ONLY_FACT_MAX : FACT_MAX;
  const paragraphs = alerts
    .slice(0, ALERTS_MAX)
    .map((alert) =>
      factsOf(alert).flatMap(({ name, value }) => [
        textElement(`${name}: `, true),
        textElement(`${cut(value, factMax)}\n`),
      ]),
    );
  return {
    text: inert(headline(message)),
    mrkdwn: false,
    parse: 'none',
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(headline(message), HEADER_MAX), emoji: false } },
      ...(own === '' ? [] : [richText('rich_text_section', [textElement(own)])]),
      ...paragraphs.map((elements) => richText('rich_text_section', elements)),
      ...(table === null ? [] : [richText('rich_text_preformatted', [textElement(tableText(table, TABLE_MAX))])]),
      ...(more === null ? [] : [richText('rich_text_section', [textElement(more)])]),
    ],
  };
}

function richText(type: 'rich_text_section' | 'rich_text_preformatted', elements: readonly object[]): object {
  return { type: 'rich_text', elements: [{ type, elements }] };
}

function textElement(value: string, bold = false): object {
  return { type: 'text', text: value, ...(bold && { style: { bold: true } }) };
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const ZERO_WIDTH_SPACE = '\u200b';

/** For the line of a notification, and for servers that know no blocks and read markup there: https://docs.slack.dev/messaging/formatting-message-text#escaping. */
function inert(line: string): string {
  return line
    .replaceAll(/[&<>]/gu, (character) => ENTITIES[character] ?? '')
    .replaceAll(/[*_~`@#!:./[\](){}|\\]/gu, (character) => `${character}${ZERO_WIDTH_SPACE}`);
}
