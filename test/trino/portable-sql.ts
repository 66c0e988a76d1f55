/** Random expressions of the portable subset (docs/detector-sql.md), by type, over a few rows of odd values. */
import fc from 'fast-check';

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const textOrNull = (text: string | null): string => (text === null ? 'CAST(NULL AS VARCHAR)' : quoted(text));

const TEXTS = [
  null,
  '',
  'abc',
  'ABC',
  'a,b,,c',
  'arn:aws:iam::111122223333:role/path/Admin',
  ' padded ',
  "it's",
  'a\n',
  'x\ny',
  'grün €😀',
  '12',
  '-7',
  '1e3',
  '2025-03-01T10:00:00Z',
  'a.b%_c',
  '[x](y)$1',
] as const;
const JSONS = [
  null,
  '{}',
  '[]',
  'null',
  '"text"',
  '7',
  'no json',
  '{"a":',
  '{"a":"x","b":{"c":[1,2,{"d":"e"}]},"n":null,"t":true,"f":1.5}',
  '{"a":["p","q"],"b":{"c":{"d":"z"}}}',
  '{"a":{"b":"c"},"b":"flat"}',
  '[{"a":"1"},{"a":"2"}]',
  '{"a":"grün € \\u0041\\n","b":{"c":[]}}',
  '{"a":12345678901234567890,"b":{"c":[null,false]}}',
] as const;
const NUMBERS = [null, 0, 1, -1, 7, -7, 42, 3600, 1_741_000_000] as const;
const TIMES = [
  null,
  '2025-03-01 10:00:00.000',
  '2025-03-01 10:00:00.123',
  '2024-02-29 23:59:59.999',
  '1969-12-31 23:59:59.500',
  '2025-12-31 00:00:00.000',
  '2025-01-01 00:00:00.000',
] as const;
const ADDRESSES = [
  null,
  '',
  '10.1.2.3',
  '192.0.2.255',
  '010.1.2.3',
  '256.1.1.1',
  '1.2.3',
  '2001:db8::1',
  '2001:DB8:0:0:8:800:200C:417A',
  '::',
  '::1',
  '::ffff:10.1.2.3',
  '::10.1.2.3',
  'fe80::1%eth0',
  '1:2:3:4:5:6:7:8:9',
  'AWS Internal',
  '10.1.2.3 ',
] as const;
const LISTS = [null, '[]', "['a']", "['b', 'a', 'b']", "['a', NULL, 'c']", "['10.1.2.3', '2001:db8::1']"] as const;

const listSql = (list: string | null): string =>
  list === null ? 'CAST(NULL AS ARRAY(VARCHAR))' : list === '[]' ? "filter(ARRAY['x'], y -> false)" : `ARRAY${list}`;

/** Rows (id, g, s, u, j, n, m, b, ts, tu, ip, xs) as a sub-select. */
export const ROWS = `(${Array.from({ length: 34 }, (_, at) => {
  const of = <T>(values: readonly T[], step: number): T =>
    values[(at * step + Math.floor(at / values.length)) % values.length] as T;
  const time = (text: string | null): string =>
    text === null ? 'CAST(NULL AS timestamp)' : `CAST(TIMESTAMP '${text}' AS timestamp)`;
  const number = (value: number | null): string => `CAST(${value ?? 'NULL'} AS BIGINT)`;
  return `SELECT CAST(${at} AS BIGINT) AS id, ${textOrNull(['p', 'q', null][at % 3] as string | null)} AS g, ${textOrNull(of(TEXTS, 1))} AS s, ${textOrNull(of(TEXTS, 5))} AS u,
 ${textOrNull(of(JSONS, 1))} AS j, ${number(of(NUMBERS, 1))} AS n, ${number(of(NUMBERS, 4))} AS m, ${['true', 'false', 'CAST(NULL AS BOOLEAN)'][(at * 2) % 3]} AS b,
 ${time(of(TIMES, 1))} AS ts, ${time(of(TIMES, 3))} AS tu, ${textOrNull(of(ADDRESSES, 1))} AS ip, ${listSql(of(LISTS, 1))} AS xs`;
}).join('\nUNION ALL ')})`;

export type ExpressionType = 'text' | 'whole' | 'flag' | 'time' | 'list' | 'number';

const PATTERNS = [
  '^a',
  'a$',
  '^abc$',
  '[0-9]+',
  '(?i)ABC',
  '([a-z]+):([0-9]*)',
  'role/(.*)/([^/]+)$',
  '[[(]x[])]',
  '\\d{2}',
  '\\s',
  '\\bb',
  'x.y',
  '(?s)x.y',
  '^$',
  '€|😀',
  '[^,]*',
  'q?',
] as const;
const GROUPED = ['([a-z]+):([0-9]*)', 'role/(.*)/([^/]+)$', '^(.)', '(?P<who>[A-Z]+)'] as const;
const PATHS = [
  '$',
  '$.a',
  '$.b.c',
  '$.b.c[0]',
  '$.b.c[2].d',
  '$.a[1]',
  '$[0].a',
  '$.n',
  '$.t',
  '$.f',
  '$.x',
  '$.b',
] as const;
/** Where no row has an object or array, of which Trino's json_extract_scalar is NULL and ours the text. */
const SCALAR_PATHS = ['$.b.c[0]', '$.a[1]', '$[0].a', '$.n', '$.t', '$.f', '$.x'] as const;
const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'year'] as const;
const TRUNCATIONS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
const FORMATS = ['%Y-%m-%d', '%H:%i:%s', '%Y/%m/%d/%H', '%d/%b/%Y', '%j', '%W %M %e', '%y %p %h %l %k %c'] as const;
const NETWORKS = [
  '10.0.0.0/8',
  '10.1.2.3/32',
  '192.0.2.128/25',
  '0.0.0.0/0',
  '::/0',
  '2001:db8::/32',
  '::ffff:10.0.0.0/104',
  '::/96',
  '10.0.0.0',
  '10.0.0.0/33',
] as const;
const LIKES = ['%b%', 'a_c', '%', '', '%\\%%', 'A%'] as const;

const one = (values: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...values);
const literalOf = (values: readonly string[]): fc.Arbitrary<string> => one(values).map(quoted);
const small = fc.integer({ min: -50, max: 50 }).map(String);
const place = fc.integer({ min: 1, max: 6 }).map(String);
const short = fc.constantFrom('', 'a', ',', '/', 'b', 'abc', '€', ':').map(quoted);

/** A template: `?` stand for the parts in their order. */
const sql = (template: string, ...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((values) => {
    const rest = [...values];
    return template.replaceAll('?', () => rest.shift() ?? '');
  });

/** Expressions of each type. */
export const expressions: Readonly<Record<ExpressionType, fc.Arbitrary<string>>> = fc.letrec<
  Record<ExpressionType, string>
>((tie) => {
  const { text, whole, flag, time, list, number } = {
    text: tie('text'),
    whole: tie('whole'),
    flag: tie('flag'),
    time: tie('time'),
    list: tie('list'),
    number: tie('number'),
  };
  const deep = { maxDepth: 2, depthSize: 'small' as const };
  return {
    text: fc.oneof(
      deep,
      one(['s', 'u', 'g', 'ip']),
      short,
      sql('json_extract_scalar(j, ?)', literalOf(SCALAR_PATHS)),
      sql('json_format(json_extract(j, ?))', literalOf(PATHS)),
      sql('lower(?)', text),
      sql('upper(?)', text),
      sql('trim(?)', text),
      sql('substr(?, ?)', text, place),
      sql('substr(?, ?, ?)', text, place, place),
      sql('concat(?, ?)', text, text),
      sql('? || ?', text, text),
      sql('coalesce(?, ?)', text, text),
      sql('nullif(?, ?)', text, text),
      sql('CASE WHEN ? THEN ? ELSE ? END', flag, text, text),
      sql('if(?, ?, ?)', flag, text, text),
      sql('replace(?, ?, ?)', text, literalOf(['a', ',', 'x']), short),
      sql('split_part(?, ?, ?)', text, literalOf([',', '/', ':']), place),
      sql('regexp_extract(?, ?)', text, literalOf(PATTERNS)),
      sql('regexp_extract(?, ?, 1)', text, literalOf(GROUPED)),
      sql('regexp_replace(?, ?, ?)', text, literalOf(GROUPED), literalOf(['<$1>', '', '-'])),
      sql('regexp_replace(?, ?)', text, literalOf(PATTERNS)),
      sql('element_at(?, ?)', list, fc.constantFrom('1', '2', '-1', '9')),
      sql("array_join(?, ', ')", list),
      sql('CAST(? AS VARCHAR)', whole),
      sql('CAST(? AS VARCHAR)', flag),
      sql('date_format(?, ?)', time, literalOf(FORMATS)),
      sql('greatest(?, ?)', text, text),
      sql('least(?, ?, ?)', text, text, text),
      sql('try(url_decode(?))', text),
      sql('reverse(?)', text),
      sql("lpad(?, 6, '0')", text),
      sql('from_utf8(to_utf8(?))', text),
    ),
    whole: fc.oneof(
      deep,
      one(['n', 'm', 'id']),
      small.map((value) => `CAST(${value} AS BIGINT)`),
      sql('(? + ?)', whole, whole),
      sql('(? - ?)', whole, whole),
      sql('(? * ?)', whole, place),
      sql('(? / ?)', whole, place),
      sql('(? % ?)', whole, place),
      sql('abs(?)', whole),
      sql('length(?)', text),
      sql('strpos(?, ?)', text, short),
      sql('cardinality(?)', list),
      sql('json_array_length(j)'),
      sql('json_array_length(json_extract(j, ?))', literalOf(PATHS)),
      sql('date_diff(?, ?, ?)', literalOf(UNITS), time, time),
      sql(
        '?(?)',
        one(['year', 'month', 'day', 'hour', 'minute', 'second', 'day_of_week', 'day_of_year', 'week']),
        time,
      ),
      // DuckDB also reads '1e3', ' 12' and '1.5' as whole numbers.
      sql("CASE WHEN regexp_like(?, '^-?[0-9]{1,18}$') THEN TRY_CAST(s AS BIGINT) END", fc.constant('s')),
      sql('coalesce(?, ?)', whole, whole),
      sql('CASE WHEN ? THEN ? END', flag, whole),
      sql('greatest(?, ?)', whole, whole),
      sql('least(?, ?)', whole, whole),
      sql('CAST(floor(?) AS BIGINT)', number),
    ),
    flag: fc.oneof(
      deep,
      fc.constant('b'),
      sql('(? = ?)', text, text),
      sql('(? <> ?)', text, text),
      sql('(? < ?)', text, text),
      sql('(? IN (?, ?))', text, short, text),
      sql('(? NOT IN (?, ?))', text, short, short),
      sql('(? LIKE ?)', text, literalOf(LIKES)),
      sql("(? LIKE ? ESCAPE '\\')", text, literalOf(LIKES)),
      sql('starts_with(?, ?)', text, short),
      sql('regexp_like(?, ?)', text, literalOf(PATTERNS)),
      sql('(? IS NULL)', text),
      sql('(? IS DISTINCT FROM ?)', text, text),
      sql('(? IS NOT DISTINCT FROM ?)', whole, whole),
      sql('(? > ?)', whole, whole),
      sql('(? BETWEEN ? AND ?)', whole, whole, whole),
      sql('(? >= ?)', time, time),
      sql('(? AND ?)', flag, flag),
      sql('(? OR ?)', flag, flag),
      sql('(NOT ?)', flag),
      sql('cidr_match(?, ?)', literalOf(NETWORKS), fc.oneof(fc.constant('ip'), text)),
      sql('arrays_overlap(?, ?)', list, list),
      sql('(cardinality(filter(?, x -> starts_with(x, ?))) > 0)', list, short),
      sql('(json_extract(j, ?) IS NULL)', literalOf(PATHS)),
      sql('(TRY_CAST(? AS DOUBLE) > ?)', text, small),
    ),
    time: fc.oneof(
      deep,
      one(['ts', 'tu']),
      sql('date_add(?, ?, ?)', literalOf(UNITS), small, time),
      sql('date_trunc(?, ?)', literalOf(TRUNCATIONS), time),
      sql("(? + INTERVAL '?' ?)", time, place, one(['SECOND', 'MINUTE', 'HOUR', 'DAY'])),
      sql("(? - INTERVAL '?' ?)", time, place, one(['SECOND', 'MINUTE', 'HOUR', 'DAY'])),
      sql('CAST(from_unixtime(?) AS timestamp)', whole),
      // Trino takes more forms of ISO 8601 than the usual one.
      fc.constant(
        "CASE WHEN regexp_like(s, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$') THEN CAST(from_iso8601_timestamp(s) AT TIME ZONE 'UTC' AS timestamp) END",
      ),
      sql("try(date_parse(?, '%Y-%m-%dT%H:%i:%sZ'))", one(['s', 'u'])),
      sql('coalesce(?, ?)', time, time),
      sql('greatest(?, ?)', time, time),
      sql('CASE WHEN ? THEN ? END', flag, time),
    ),
    list: fc.oneof(
      deep,
      fc.constant('xs'),
      sql('filter(?, x -> x <> ?)', list, short),
      sql('filter(?, x -> regexp_like(x, ?))', list, literalOf(PATTERNS)),
      sql('array_distinct(?)', list),
      sql('array_sort(?)', list),
      sql('array_union(?, ?)', list, list),
      sql('split(?, ?)', text, literalOf([',', '/', ':'])),
      sql('regexp_split(?, ?)', text, literalOf(['[,/]', '\\s+', ':'])),
      sql('regexp_extract_all(?, ?)', text, literalOf(PATTERNS)),
      sql('coalesce(?, ?)', list, list),
      sql('ARRAY[?, ?]', text, text),
    ),
    number: fc.oneof(
      deep,
      sql('CAST(? AS DOUBLE)', whole),
      sql('TRY_CAST(? AS DOUBLE)', text),
      sql('to_unixtime(?)', time),
      sql('floor(?)', number),
      sql('ceil(?)', number),
      sql('(? / 4)', number),
      sql('coalesce(?, ?)', number, number),
    ),
  };
});
