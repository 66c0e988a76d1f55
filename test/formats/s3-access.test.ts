import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Decoder } from '../../src/format.ts';
import { s3AccessFormat } from '../../src/formats/s3-access.ts';
import { s3AccessTable } from '../../src/formats/s3-access-table.ts';
import { rawColumns } from '../../src/table.ts';
import {
  DELIVERED_DAY,
  decoderOf,
  decodeSlices,
  decode as decodeWith,
  FILE,
  LIMITS,
  type Row,
  slicesOf,
} from './decode.ts';
import { ofLine } from './s3-access-check.ts';
import { FIELDS } from './s3-access-reader.ts';

const MIB = 1024 * 1024;
const OWNER = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be';
const HOST_ID = 's9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234=';
const HEAD = `${OWNER} amzn-s3-demo-bucket1 [06/Feb/2019:00:00:38 +0000] 192.0.2.3 ${OWNER} 3E57427F3EXAMPLE REST.GET.OBJECT photos/puppy.jpg`;
const URI = '"GET /photos/puppy.jpg HTTP/1.1"';
const STATUS = '200 - 2662992 3462992 70 10';
const TAIL = `- ${HOST_ID} SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSv1.2 arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP Yes us-east-1`;
const LINE = `${HEAD} ${URI} ${STATUS} "http://www.amazon.com/webservices" "curl/7.15.1" ${TAIL}`;

const decode = (content: string | Uint8Array, limits = LIMITS) => decodeWith(content, limits, s3AccessFormat);
const decoder = (limits = LIMITS): Promise<Decoder> => decoderOf(limits, s3AccessFormat);

/** The columns of a file's only record. */
async function rowOf(line: string): Promise<Row> {
  const { rows, rejects } = await decode(line);
  expect(rejects).toEqual([]);
  expect(rows).toHaveLength(1);
  return ofLine(rows[0] ?? {});
}

describe('a record', () => {
  it('has each field of AWS’s page in its column', async () => {
    expect(await rowOf(LINE)).toEqual({
      bucket_owner: OWNER,
      bucket: 'amzn-s3-demo-bucket1',
      event_time: BigInt(Date.UTC(2019, 1, 6, 0, 0, 38)) * 1000n,
      remote_ip: '192.0.2.3',
      requester: OWNER,
      request_id: '3E57427F3EXAMPLE',
      operation: 'REST.GET.OBJECT',
      key: 'photos/puppy.jpg',
      request_uri: 'GET /photos/puppy.jpg HTTP/1.1',
      http_status: 200,
      bytes_sent: 2662992,
      object_size: 3462992,
      total_time_ms: 70,
      turn_around_time_ms: 10,
      referrer: 'http://www.amazon.com/webservices',
      user_agent: 'curl/7.15.1',
      host_id: HOST_ID,
      signature_version: 'SigV4',
      cipher_suite: 'ECDHE-RSA-AES128-GCM-SHA256',
      authentication_type: 'AuthHeader',
      host_header: 'amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com',
      tls_version: 'TLSv1.2',
      access_point_arn: 'arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP',
      acl_required: true,
      source_region: 'us-east-1',
    });
  });

  it('has the columns of the table in the order of the line', () => {
    const names = rawColumns(s3AccessTable).map(({ name }) => name);
    expect(names).toEqual(['log_file', 'record_no', ...FIELDS, 'extra']);
  });

  it.each(Array.from({ length: 11 }, (_, fields) => fields))(
    'may end %i fields after its user agent',
    async (fields) => {
      const words = TAIL.split(' ').slice(0, fields);
      const row = await rowOf([HEAD, URI, STATUS, '"-"', '"curl/7.15.1"', ...words].join(' '));
      const present = FIELDS.slice(17, 17 + fields).filter((name, at) => words[at] !== '-' || name === 'acl_required');
      expect(Object.keys(row).filter((name) => FIELDS.indexOf(name as never) >= 17)).toEqual(present);
      expect(row['user_agent']).toBe('curl/7.15.1');
    },
  );

  it('keeps in `extra` what follows the known fields', async () => {
    const row = await rowOf(`${LINE} "a new field" - x`);
    expect(row['extra']).toBe(JSON.stringify({ further_fields: '"a new field" - x' }));
    expect(row['user_agent']).toBe('curl/7.15.1');
    expect(row['source_region']).toBe('us-east-1');
  });

  it('keeps in `extra` what does not fit its column', async () => {
    const numbers = '* - 99999999999999999999 -5 * 0';
    const row = await rowOf(
      LINE.replace(STATUS, numbers).replace('06/Feb/2019', '31/Feb/2019').replace(' Yes ', ' Maybe '),
    );
    expect(row['extra']).toBe(
      JSON.stringify({
        event_time: '31/Feb/2019:00:00:38 +0000',
        http_status: '*',
        bytes_sent: '99999999999999999999',
        total_time_ms: '*',
        acl_required: 'Maybe',
      }),
    );
    expect([row['object_size'], row['turn_around_time_ms']]).toEqual([-5, 0]);
    expect(Object.keys(row)).not.toContain('event_time');
  });

  const TIMES: readonly [string, number | null][] = [
    ['29/Feb/2020:23:59:59 +0000', Date.UTC(2020, 1, 29, 23, 59, 59)],
    ['01/Jan/2020:00:30:00 +0130', Date.UTC(2019, 11, 31, 23)],
    ['01/Jan/2020:00:30:00 -0130', Date.UTC(2020, 0, 1, 2)],
    ['31/Dec/2005:23:59:59 +0000', null],
    ['01/Jan/2006:00:00:00 +0000', Date.UTC(2006, 0, 1)],
    ['29/Feb/2019:00:00:00 +0000', null],
    ['01/jan/2020:00:00:00 +0000', null],
    ['01/Jan/2020:24:00:00 +0000', null],
    ['01/Jan/2020:00:00:00 GMT', null],
    ['01/Jan/2099:00:00:00 +0000', null],
    ['2020-01-01T00:00:00Z', null],
  ];
  it.each(TIMES)('reads the time %s', async (time, expected) => {
    const { rows } = await decode(LINE.replace('06/Feb/2019:00:00:38 +0000', time));
    expect(rows[0]?.['event_time']).toBe(expected === null ? undefined : BigInt(expected) * 1000n);
    expect(rows[0]?.['event_day']).toBe(expected === null ? DELIVERED_DAY : Math.floor(expected / 86_400_000));
  });

  it('has no values where AWS writes a dash, but an ACL that was not required', async () => {
    const row = await rowOf(`- - [-] - - - - - - - - - - - - - - - - - - - - - - - -`);
    expect(row).toEqual({ acl_required: false });
  });

  it.each(['S3.EXPIRE.OBJECT', 'S3.TRANSITION_SIA.OBJECT', 'S3.CREATE.DELETEMARKER'])(
    'may come from lifecycle: %s',
    async (operation) => {
      const line = `${OWNER} b [06/Feb/2019:00:00:38 +0000] - AmazonS3 3E57427F3EXAMPLE ${operation} a%2520b "-" - - - 3 - - "-" "-" v1 ${HOST_ID} - - - - - - -`;
      const row = await rowOf(line);
      expect(row).toMatchObject({ requester: 'AmazonS3', operation, key: 'a%2520b', object_size: 3, version_id: 'v1' });
      expect(Object.keys(row)).not.toContain('request_uri');
    },
  );
});

describe('texts of clients', () => {
  const CASES: readonly [string, string, string, string][] = [
    ['a quote in the URI', 'GET /" HTTP/1.1', 'referer test', 'curl/7.38.0'],
    ['a quote at the end of the user agent', 'GET / HTTP/1.1', '-', 'Mozilla/5.0 (iPad) Safari/604.1"'],
    ['quotes and spaces in both headers', 'GET / HTTP/1.1', 'see "this" one', 'a "b" c'],
    ['a user agent that forges the fields behind it', 'GET / HTTP/1.1', '-', `x" ${TAIL} "y`],
    ['one that forges a whole record', 'GET / HTTP/1.1', '-', `x" ${TAIL} ${LINE.replaceAll('[', '(')} z`],
    ['a referrer that forges a status', 'GET / HTTP/1.1', '" 200 - 1 1 1 1 -', 'curl'],
    ['a URI that is a quote', 'GET " HTTP/1.1', '-', 'curl'],
    ['texts outside of ASCII', 'GET /é HTTP/1.1', 'https://例え.jp/', '😀'],
    ['nothing', '', '', ''],
  ];
  it.each(CASES)('%s', async (_, uri, referrer, agent) => {
    for (const tail of [TAIL, TAIL.replace(' us-east-1', ''), TAIL.replace(' Yes us-east-1', '')]) {
      const row = await rowOf(`${HEAD} "${uri}" ${STATUS} "${referrer}" "${agent}" ${tail}`);
      const written = (text: string): string | undefined => (text === '-' ? undefined : text);
      expect([row['request_uri'], row['referrer'], row['user_agent']]).toEqual([
        uri,
        written(referrer),
        written(agent),
      ]);
      expect(row['host_id']).toBe(HOST_ID);
    }
  });
});

describe('what is no record', () => {
  const CASES: readonly [string, string, string][] = [
    ['other text', 'hello', 's3-access-line-truncated'],
    ['no time', LINE.replace(' [', ' ').replace('] ', ' '), 's3-access-line-invalid'],
    ['no status', LINE.replace(STATUS, '20 - 1 1 1 1'), 's3-access-line-invalid'],
    ['a number that is none', LINE.replace(STATUS, '200 - x 1 1 1'), 's3-access-line-invalid'],
    ['a field that is empty', LINE.replace(' SigV4 ', '  '), 's3-access-line-invalid'],
    ['spaces', '   ', 's3-access-line-truncated'],
    ['a line cut in its URI', LINE.slice(0, LINE.indexOf('puppy.jpg HTTP')), 's3-access-line-truncated'],
    ['a line cut in its numbers', LINE.slice(0, LINE.indexOf(' 70 10')), 's3-access-line-truncated'],
    ['a line cut in its user agent', LINE.slice(0, LINE.indexOf('/7.15.1')), 's3-access-line-truncated'],
    ['a NUL', LINE.replace('curl', 'cu\0rl'), 'nul-byte'],
  ];
  it.each(CASES)('%s: a reject with its text, and no neighbour’s loss', async (_, text, reason) => {
    const { rows, rejects, recordsIn, details } = await decode(`${LINE}\n${text}\n${LINE}\n`);
    expect(rows.map((row) => row['record_no'])).toEqual([0, 2]);
    const offset = Buffer.byteLength(LINE) + 1;
    expect(rejects).toEqual([{ recordNo: 1, offset, length: Buffer.byteLength(text), reason, text }]);
    expect(recordsIn).toBe(3);
    expect(details[0]).toMatch(/^(no field of an S3 access record|the line) /);
  });

  it('bytes that are not UTF-8: no reason to lose the record', async () => {
    const [before = '', after = ''] = LINE.split('curl');
    const broken = Buffer.concat([Buffer.from(before), Buffer.from([0xff, 0xc3]), Buffer.from(after)]);
    const { rows, rejects } = await decode(Buffer.concat([Buffer.from(`${LINE}\n`), broken, Buffer.from(`\n${LINE}`)]));
    expect(rejects).toEqual([]);
    expect(rows[1]).toMatchObject({ ...ofLine(rows[0] ?? {}), user_agent: expect.stringMatching(/^\?\?/u) });
    expect(JSON.parse(String(rows[1]?.['extra']))).toEqual({ line_latin1: broken.toString('latin1') });
  });

  it('a line over the limit, with its first 64 KiB', async () => {
    const giant = LINE.replace('curl', 'c'.repeat(33 * MIB));
    const small = await decoder();
    const file = Buffer.from(`${LINE}\n${giant}\n${LINE}`);
    for (const size of [file.length, MIB, 1_000_003]) {
      const { rows, rejects } = decodeSlices(
        small,
        slicesOf(file, () => size),
      );
      expect(rows.map((row) => row['record_no'])).toEqual([0, 2]);
      expect(rejects).toMatchObject([
        {
          recordNo: 1,
          offset: LINE.length + 1,
          length: giant.length,
          reason: 'record-too-large',
          text: giant.slice(0, 65_536),
        },
      ]);
    }
  });

  it('bytes that are not UTF-8 behind a line over the limit', async () => {
    const small = await decoder({ recordBytes: 1000, windowBytes: LIMITS.windowBytes });
    const broken = Buffer.from(LINE.replace('curl', 'c\xffrl'), 'latin1');
    const [begin, rest] = [Buffer.alloc(900, 'x'), Buffer.alloc(4000, 0xff)];
    const file = Buffer.concat([begin, rest, Buffer.from('\n'), broken, Buffer.from(`\n${LINE}`)]);
    const whole = decodeSlices(small, [file]);
    expect(whole.rejects.map(({ reason }) => reason)).toEqual(['record-too-large']);
    expect(whole.rows.map((row) => row['user_agent'])).toMatchObject([
      expect.stringContaining('c?rl'),
      expect.anything(),
    ]);
    const sizes = [file.length, rest.length, begin.length];
    expect(
      decodeSlices(
        small,
        slicesOf(file, () => sizes.pop() ?? 1),
      ),
    ).toEqual(whole);
  });

  it('a giant line without end', async () => {
    const giant = Buffer.alloc(40 * MIB, 'x');
    expect(await decode(giant)).toMatchObject({ kind: 'other', recordsIn: 1, rejects: [{ length: giant.length }] });
  });

  it('a file of another kind is one reject', async () => {
    const text = '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326\n'.repeat(5000);
    const whole = await decode(text);
    expect(whole).toMatchObject({ kind: 'other', recordsIn: 1, rows: [] });
    expect(whole.rejects).toMatchObject([
      { reason: 'not-s3-access', length: text.length, text: text.slice(0, 65_536) },
    ]);
    const sliced = decodeSlices(
      await decoder(),
      slicesOf(Buffer.from(text), () => 1000),
    );
    expect(sliced).toEqual(whole);
  });

  it('many foreign lines before the first record are one reject too', async () => {
    const foreign = 'x\n'.repeat(2500);
    const file = Buffer.from(`${foreign}${LINE}\nx`);
    const whole = await decode(file);
    expect(whole.rows).toHaveLength(1);
    expect(whole.rejects[0]).toMatchObject({ reason: 'not-s3-access', offset: 0, recordNo: 0 });
    expect(whole.recordsIn).toBe(whole.rows.length + whole.rejects.length);
    const sliced = decodeSlices(
      await decoder(),
      slicesOf(file, () => 77),
    );
    expect(sliced).toEqual(whole);
  });
});

describe('a file', () => {
  it.each([
    ['without a last line end', LINE],
    ['with one', `${LINE}\n`],
    ['with CRLF', `${LINE}\r\n`],
    ['with a byte order mark', `\ufeff${LINE}\n`],
    ['with empty lines', `\n\r\n${LINE}\n\n\r\n`],
    ['with spaces at the end of the line', `${LINE}  \n`],
  ])('%s has the same record', async (_, content) => {
    expect(await rowOf(content)).toEqual(await rowOf(LINE));
    expect((await decode(content)).recordsIn).toBe(1);
  });

  it.each(['', '\n', '\r\n\r\n', '\ufeff'])('that holds nothing (%j) is empty', async (content) => {
    const { kind, rejects, recordsIn } = await decode(content);
    expect({ kind, reasons: rejects.map(({ reason }) => reason), recordsIn }).toEqual({
      kind: 'empty',
      reasons: ['empty-file'],
      recordsIn: 1,
    });
  });

  it('that broke off in a line has no such record, but one that ended there has', async () => {
    const cut = `${LINE}\n${LINE.slice(0, -40)}`;
    const one = await decoder();
    const reasonsOf = (isCut: boolean): readonly string[] => {
      one.begin(FILE);
      expect(one.push(Buffer.from(cut), true, isCut)).toBe('more');
      one.reset();
      return one.end().rejects.map(({ reason }) => reason);
    };
    expect(reasonsOf(true)).toEqual(['truncated']);
    expect(reasonsOf(false)).toEqual([]);
  });

  it('goes on in the next window when the rows are full', async () => {
    const count = 45_000;
    const { rows, recordsIn } = await decode(`${LINE}\n`.repeat(count));
    expect([rows.length, recordsIn]).toEqual([count, count]);
    expect(rows.every((row, index) => row['record_no'] === index)).toBe(true);
    expect(rows.at(-1)).toMatchObject({ host_id: HOST_ID, user_agent: 'curl/7.15.1' });
  });
});

describe('lines that other projects test with', () => {
  const FIXTURES: readonly [string, number, readonly string[]][] = [
    ['generations', 5, []],
    // The first ends with its user agent, as the oldest records do.
    [
      'cut-lines',
      1,
      ['s3-access-line-truncated', 's3-access-line-truncated', 's3-access-line-truncated', 's3-access-line-truncated'],
    ],
    ['fields', 3, ['s3-access-line-truncated']],
  ];
  it.each(FIXTURES)('%s.log', async (name, rows, reasons) => {
    const content = readFileSync(new URL(`fixtures/s3-access/${name}.log`, import.meta.url));
    const decoded = await decode(content);
    expect(decoded.rows).toHaveLength(rows);
    expect(decoded.rejects.map(({ reason }) => reason)).toEqual(reasons);
    expect(decoded.rows.every((row) => row['user_agent'] === 'S3Console/0.4' && row['http_status'] !== undefined)).toBe(
      true,
    );
  });
});

describe('hostile input', () => {
  const fill = (text: string): string => text.repeat(Math.ceil((24 * MIB) / text.length));
  const CASES: Record<string, string> = {
    'quotes in a URI': `${HEAD} "GET ${fill('"')} HTTP/1.1" ${STATUS} "-" "-" ${TAIL}`,
    'ends of URIs that are none': `${HEAD} "GET ${fill('" 200 - 1 1 1 x')}`,
    'error codes that never end': `${HEAD} "GET ${fill('" 200 x')}`,
    'quotes and spaces in a user agent': `${HEAD} ${URI} ${STATUS} "-" "${fill('" ')}" ${TAIL}`,
    'ends of user agents that are none': `${HEAD} ${URI} ${STATUS} "-" "${fill('" - x SigV4 ')}`,
    'borders between headers': `${HEAD} ${URI} ${STATUS} "${fill('" "')}" ${TAIL}`,
    backslashes: `${HEAD} ${URI} ${STATUS} "${fill('\\"')}" "-" ${TAIL}`,
    brackets: `${OWNER} b [${fill('[')}] x`,
    spaces: `${OWNER}${fill(' ')}`,
    'fields without end': `${LINE} ${fill('x ')}`,
    'short lines': fill('\n\nx\n'),
    NULs: fill('\0'),
  };
  it.each(Object.entries(CASES))('takes linear time for %s', async (_, text) => {
    const one = await decoder();
    const seconds: number[] = [];
    for (const size of [text.length >> 2, text.length]) {
      const content = Buffer.from(text.slice(0, size));
      const started = process.cpuUsage();
      decodeSlices(
        one,
        slicesOf(content, () => MIB),
      );
      const used = process.cpuUsage(started);
      seconds.push((used.user + used.system) / 1e6);
    }
    // Four times the bytes: sixteen times the time would be quadratic. Short times are noise.
    const [quarter = 0, whole = 0] = seconds;
    expect(whole).toBeLessThan(Math.max(8 * quarter, 2));
  });
});

describe('sniff', () => {
  const KEY = 'logs/2026-01-01-00-12-34-0123456789ABCDEF';
  const CASES: readonly [string, string, string, 'content' | 'key' | null][] = [
    ['a record', LINE, 'x.bin', 'content'],
    ['a record behind a byte order mark and a broken line', `\ufeffx\n${LINE}`, 'x', 'content'],
    ['the head of a record', LINE.slice(0, 130), 'x', 'content'],
    ['a key with its random end', '', KEY, 'key'],
    ['a partitioned key', 'x', `p/111122223333/us-west-1/b/2026/01/01/2026-01-01-00-12-34-0123456789ABCDEF.gz`, 'key'],
    ['CloudTrail', '{"Records":[', 'AWSLogs/1/CloudTrail/x.json', null],
    ['another server’s log', '1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326', 'access.log', null],
    ['a date alone', '', '2026-01-01-00-12-34', null],
  ];
  it.each(CASES)('%s', (_, content, key, expected) => {
    expect(s3AccessFormat.sniff(Buffer.from(content), key)).toBe(expected);
  });
});
