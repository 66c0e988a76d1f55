/** Alerts as an attacker would have them: every text that a log can bring holds what some reader would obey. */
import fc from 'fast-check';
import type { Alert } from '../../src/alert.ts';
import type { Message } from '../../src/sink.ts';
import { ALERT, alertMessage } from './messages.ts';

const FRAGMENTS = [
  '\u001b[31m',
  '\u001b]0;title\u0007',
  '\u009b2J',
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '</td></table><a href="https://evil.example">',
  '&amp;&lt;',
  '"><!--',
  '*bold* _it_ ~no~ `code`',
  '```',
  '<!channel>',
  '<@U123>',
  '@here',
  '<https://evil.example|click>',
  'https://evil.example/x',
  'evil.example',
  '\r\nBcc: victim@example.com',
  '\r\n\r\n<html>',
  '\n.\r\n',
  '\r\n--boundary\r\n',
  '=?utf-8?q?=0d=0aBcc:_x?=',
  '"',
  "'",
  '\\',
  '\\",\\"x\\":\\"',
  '{{alert.id}}',
  '${x}',
  '\u202e',
  '\u2066',
  '\u200b',
  '\u0000',
  '\ud800',
  '\udc00x',
  '\u2028',
  '=cmd|/c calc',
  '+1',
  '-1',
  '@SUM(A1)',
  '\t=1',
  ',;',
  '%0d%0a',
  '😀',
  'ä',
  ' ',
  'arn:aws:iam::111122223333:user/',
];

const hostileText = fc
  .array(
    fc.oneof({ arbitrary: fc.constantFrom(...FRAGMENTS), weight: 4 }, fc.string({ unit: 'binary', maxLength: 20 })),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const texts = fc.array(hostileText, { maxLength: 20 });

const hostileFields: fc.Arbitrary<Partial<Alert>> = fc.record({
  title: hostileText,
  summary: hostileText,
  subject: fc.dictionary(hostileText, fc.oneof(hostileText, fc.constant(null), texts, fc.bigInt()), { maxKeys: 4 }),
  account_id: fc.oneof(hostileText, fc.constant(null)),
  region: fc.oneof(hostileText, fc.constant(null)),
  accounts: texts,
  regions: texts,
  source_ips: fc.array(fc.oneof(hostileText, fc.ipV4(), fc.ipV6()), { maxLength: 20 }),
  principal_arn: fc.oneof(hostileText, fc.constant(null)),
  event_ids: texts,
  parameters: fc.dictionary(hostileText, fc.oneof(hostileText, texts), { maxKeys: 3 }),
});

export const hostileAlert: fc.Arbitrary<Alert> = hostileFields.map((fields) => ({ ...ALERT, ...fields }));

export const hostileMessage: fc.Arbitrary<Message> = fc
  .record({
    alert: hostileAlert,
    title: hostileText,
    text: hostileText,
    reference: fc.oneof(hostileText, fc.constant(null)),
    rows: fc.array(fc.tuple(hostileText, hostileText), { maxLength: 5 }),
    column: hostileText,
    isReport: fc.boolean(),
  })
  .map(({ alert, title, text, reference, rows, column, isReport }) =>
    alertMessage(alert, {
      key: 'a-key',
      title,
      text,
      reference,
      ...(isReport && {
        kind: 'report' as const,
        change: null,
        alerts: [],
        alertsTotal: 0,
        table: {
          columns: [
            { name: column, type: 'VARCHAR' },
            { name: 'b', type: 'VARCHAR' },
          ],
          rows,
          total: rows.length,
        },
      }),
    }),
  );

/** What makes a terminal, a mail reader or a person see something else than is there; line breaks of ours are taken out before. */
export const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
