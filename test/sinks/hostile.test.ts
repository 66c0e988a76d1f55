/** Whatever a log brings into an alert: it breaks out of none of the formats, and every format can be read back. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Message, Sink } from '../../src/sink.ts';
import { htmlOf } from '../../src/sinks/html.ts';
import { factsOf, headline, plainText, tableCsv } from '../../src/sinks/text.ts';
import { hostileMessage, OBEYED } from '../support/hostile.ts';
import { type MailPeer, pythonMissing, readMails, startMailPeer } from '../support/mail.ts';
import { alertMessage, REPORT } from '../support/messages.ts';
import { open } from '../support/sinks.ts';

const RUNS = { numRuns: 150 };
const ACCOUNT = '123456789012';
Object.assign(process.env, {
  TRAILHOUND_TEST_SECRET: 'https://hooks.example/very-secret-path',
  AWS_REGION: 'eu-central-1',
});

/** What a sink of each type would send, without a destination. */
async function rendering(type: string, options: object): Promise<(message: Message) => string> {
  const sink: Sink = await open(type, options);
  return (message) => sink.render(message);
}

const linesAreInert = (text: string) => text.split('\n').every((line) => !OBEYED.test(line));

test('JSON Lines: one line, and the message as it is', async () => {
  const render = await rendering('stdout', {});
  const wellFormed = (value: string) => value.replaceAll(/\p{Cs}/gu, '\ufffd');
  fc.assert(
    fc.property(hostileMessage, (message) => {
      const line = render(message);
      expect(OBEYED.test(line)).toBe(false);
      const { title, text } = JSON.parse(line) as { title: string; text: string };
      expect([title, text]).toEqual([wellFormed(message.title), wellFormed(message.text)]);
    }),
    RUNS,
  );
});

test('plain text: lines of ours, and no character that anything obeys', () => {
  fc.assert(
    fc.property(hostileMessage, (message) => {
      expect(linesAreInert(plainText(message, 10_000))).toBe(true);
    }),
    RUNS,
  );
});

test('Slack: text that is text', async () => {
  const render = await rendering('slack', { webhook: 'env:TRAILHOUND_TEST_SECRET' });
  interface Block {
    readonly type: string;
    readonly text?: { readonly type: string; readonly text: string; readonly emoji: boolean };
    readonly elements?: readonly {
      readonly type: string;
      readonly elements: readonly { readonly type: string; readonly text: string; readonly style?: object }[];
    }[];
  }
  fc.assert(
    fc.property(hostileMessage, (message) => {
      const payload = JSON.parse(render(message)) as { text: string; blocks: Block[] };
      expect(Object.keys(payload)).toEqual([
        'text',
        'mrkdwn',
        'parse',
        'link_names',
        'unfurl_links',
        'unfurl_media',
        'blocks',
      ]);
      expect(payload.text).not.toMatch(/[<>]|&(?!(amp|lt|gt);)|[*_~`@#!:./[\]](?!\u200b)/u);
      const [header, ...others] = payload.blocks;
      expect(header).toEqual({ type: 'header', text: { type: 'plain_text', text: header?.text?.text, emoji: false } });
      expect(header?.text?.text.length).toBeLessThanOrEqual(150);
      let length = payload.text.length;
      for (const { type, elements = [] } of others) {
        expect(type).toBe('rich_text');
        for (const section of elements) {
          expect(section.type).toMatch(/^rich_text_(section|preformatted)$/);
          for (const element of section.elements) {
            expect([
              element.type,
              Object.keys(element).filter((key) => !['type', 'text', 'style'].includes(key)),
            ]).toEqual(['text', []]);
            expect(element.text.length).toBeGreaterThan(0);
            expect(linesAreInert(element.text)).toBe(true);
            length += element.text.length;
          }
        }
      }
      expect(length).toBeLessThan(13_000);
    }),
    RUNS,
  );
});

test('HTML: our elements and no others', () => {
  const OURS = /<(?:!DOCTYPE html|\/?(?:html|body|h3|p|table|tr)|br|\/t[dh]|t[dh] align="left")>/g;
  fc.assert(
    fc.property(hostileMessage, (message) => {
      const html = htmlOf(message);
      expect(html.replaceAll(OURS, '')).not.toMatch(/[<>"']/);
      expect(html).not.toMatch(/&(?!(amp|lt|gt|quot|#39);)/);
      expect(linesAreInert(html)).toBe(true);
      const rows =
        message.table === null
          ? factsOf(message.alerts[0] ?? expect.fail('no alert')).length
          : message.table.rows.length + 1;
      expect(html.match(/<tr>/g)).toHaveLength(rows);
    }),
    RUNS,
  );
});

/** RFC 4180. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  for (const line of text.match(/(?:"(?:[^"]|"")*"|[^"\n])*\n/g) ?? []) {
    const cells = line.slice(0, -1).match(/(?:"(?:[^"]|"")*"|[^",])*(?:,|$)/g) ?? [];
    // The expression finds an empty cell behind the last one.
    rows.push(
      cells.slice(0, line.slice(0, -1).endsWith(',') ? undefined : -1).map((cell) =>
        cell
          .replace(/,$/, '')
          .replace(/^"(.*)"$/s, '$1')
          .replaceAll('""', '"'),
      ),
    );
  }
  return rows;
}

test('CSV: as many cells as there are, and no formula', () => {
  expect(readCsv('a,"b,""c"\n,\n')).toEqual([
    ['a', 'b,"c'],
    ['', ''],
  ]);
  fc.assert(
    fc.property(hostileMessage, (message) => {
      const table = message.table ?? REPORT.table;
      if (table === null) return;
      const rows = readCsv(tableCsv(table));
      expect(rows.map((row) => row.length)).toEqual(Array(table.rows.length + 1).fill(2));
      for (const cell of rows.flat().filter((text) => !/^-?\d+$/.test(text)))
        expect(cell).not.toMatch(/^\s*[=+\-@|%\t\r]/);
    }),
    RUNS,
  );
});

describe('in the shapes of AWS and PagerDuty', () => {
  test('SNS: a subject of printable ASCII', async () => {
    const render = await rendering('sns', { topic: `arn:aws:sns:eu-central-1:${ACCOUNT}:alerts` });
    fc.assert(
      fc.property(hostileMessage, (message) => {
        const {
          Subject,
          Message: text,
          MessageAttributes,
        } = JSON.parse(render(message)) as {
          Subject: string;
          Message: string;
          MessageAttributes: Record<string, { StringValue: string }>;
        };
        expect(Subject).toMatch(/^[\x21-\x7e][\x20-\x7e]{0,99}$/);
        expect(linesAreInert(text)).toBe(true);
        for (const { StringValue } of Object.values(MessageAttributes))
          expect([StringValue === '', OBEYED.test(StringValue)]).toEqual([false, false]);
      }),
      RUNS,
    );
  });

  test('EventBridge and SQS: JSON within JSON', async () => {
    const [events, queue] = [await rendering('eventbridge', {}), await rendering('sqs', { queue: 'alerts' })];
    fc.assert(
      fc.property(hostileMessage, (message) => {
        const { Detail } = JSON.parse(events(message)) as { Detail: string };
        const { MessageBody } = JSON.parse(queue(message)) as { MessageBody: string };
        for (const text of [Detail, MessageBody])
          expect([OBEYED.test(text), (JSON.parse(text) as { key: string }).key]).toEqual([false, 'a-key']);
      }),
      RUNS,
    );
  });

  test('PagerDuty', async () => {
    const render = await rendering('pagerduty', { routing_key: 'env:TRAILHOUND_TEST_SECRET' });
    fc.assert(
      fc.property(hostileMessage, (message) => {
        const { payload, ...event } = JSON.parse(render(message)) as { payload: Record<string, string> };
        expect(Object.keys(event)).toEqual(['routing_key', 'event_action', 'dedup_key', 'client']);
        expect(Object.keys(payload).filter((key) => key !== 'group')).toEqual([
          'summary',
          'source',
          'severity',
          'timestamp',
          'class',
          'custom_details',
        ]);
        for (const key of ['summary', 'source', 'class'])
          expect([payload[key] === '', OBEYED.test(payload[key] ?? '')]).toEqual([false, false]);
      }),
      RUNS,
    );
  });
});

describe.skipIf(pythonMissing)('mail', () => {
  let peer: MailPeer;
  beforeAll(async () => {
    peer = await startMailPeer();
  });
  afterAll(() => peer.close());

  test('the headers that we wrote, and the parts that we wrote', async () => {
    const sink = await open('email', {
      host: '127.0.0.1',
      port: peer.port,
      tls: 'none',
      from: 'a@example.com',
      to: ['b@example.com'],
    });
    const messages = fc.sample(hostileMessage, 40);
    for (const message of messages) await sink.deliver(message, new AbortController().signal);
    expect(peer.envelopes).toEqual(messages.map(() => ['a@example.com', 'b@example.com']));
    const mails = readMails(peer.mails);
    const names = [
      'From',
      'To',
      'Subject',
      'Message-ID',
      'In-Reply-To',
      'References',
      'Auto-Submitted',
      'Date',
      'MIME-Version',
      'Content-Type',
      'Content-Transfer-Encoding',
    ];
    for (const [at, { headers, parts, defects }] of mails.entries()) {
      const message = messages[at] ?? expect.fail('a mail too many');
      expect(defects).toEqual([]);
      expect(new Set(headers.map(([name]) => name)).size).toBe(headers.length);
      expect(headers.map(([name]) => name).filter((name) => !names.includes(name))).toEqual([]);
      expect(parts.map(({ type }) => type)).toEqual([
        'text/plain',
        'text/html',
        ...(message.table === null ? [] : ['text/csv']),
      ]);
      const subject = headers.find(([name]) => name === 'Subject')?.[1] ?? '';
      expect(`[trailhound] ${headline(message)}`.startsWith(subject.replace(/…$/, '').trimEnd())).toBe(true);
      expect(parts[0]?.content.replaceAll('\r\n', '\n')).toBe(plainText(message, 50_000));
    }
  });
});

test('texts of a megabyte cost neither a limit nor a minute', async () => {
  const much = '\u0000<*"€'.repeat(200_000);
  const message = alertMessage(
    { title: much, summary: much, subject: { principal: much }, principal_arn: much, region: much, source_ips: [much] },
    { title: much, text: much },
  );
  const started = Date.now();
  const slack = await rendering('slack', { webhook: 'env:TRAILHOUND_TEST_SECRET' });
  const webhook = await rendering('webhook', { url: 'https://example.com' });
  expect(slack(message).length).toBeLessThan(40_000);
  expect(webhook(message).length).toBeLessThan(1_000_100);
  expect([plainText(message, 1000).length, htmlOf(message).length].every((length) => length < 40_000)).toBe(true);
  expect(Date.now() - started).toBeLessThan(20_000);
});
