/** The macro prelude: Trino's names and semantics on DuckDB, so that one portable text runs on both engines. */

/**
 * A user macro shadows the built-in of the same name; the built-in stays reachable as `system.main.<name>`. No macro uses `error()`: it is volatile, and
 * `try()` refuses volatile functions. A wrong unit or format fails in a CAST instead, with a text that names it.
 */
const CAST_FAILS = (what: string, value: string): string =>
  `CAST('${what} ' || ${value} || ' is not supported' AS TIMESTAMP)`;

/** An octet without leading zeros: `010` is octal to some readers and decimal to others, so it is no address. */
const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const IPV4 = `${OCTET}([.]${OCTET}){3}`;
/** Groups of an IPv6 address in lower case. */
const GROUPS = '[0-9a-f]{1,4}(:[0-9a-f]{1,4})*';

/** First 24 hex digits of an IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`): it counts as the IPv4 address. */
const MAPPED = '00000000000000000000ffff';

/** The formats that date_parse knows, as Trino spells them and as strptime does: strptime wants a constant. */
const DATE_FORMATS: readonly (readonly [trino: string, duckdb: string])[] = [
  ['%Y-%m-%d', '%Y-%m-%d'],
  ['%Y/%m/%d', '%Y/%m/%d'],
  ['%Y%m%d', '%Y%m%d'],
  ['%Y/%m/%d/%H', '%Y/%m/%d/%H'],
  ['%Y-%m-%d %H:%i:%s', '%Y-%m-%d %H:%M:%S'],
  ['%Y-%m-%dT%H:%i:%s', '%Y-%m-%dT%H:%M:%S'],
  ['%Y-%m-%dT%H:%i:%sZ', '%Y-%m-%dT%H:%M:%SZ'],
  ['%Y%m%dT%H%i%sZ', '%Y%m%dT%H%M%SZ'],
  ['%d/%b/%Y:%H:%i:%s', '%d/%b/%Y:%H:%M:%S'],
];

/** Trino's format letters that DuckDB spells otherwise; `%M` (name of the month) goes before `%i` (minutes), which becomes `%M`. */
const FORMAT_LETTERS: readonly (readonly [trino: string, duckdb: string])[] = [
  ['%M', '%B'],
  ['%W', '%A'],
  ['%h', '%I'],
  ['%c', '%-m'],
  ['%e', '%-d'],
  ['%k', '%-H'],
  ['%l', '%-I'],
  ['%v', '%V'],
  ['%x', '%G'],
  ['%r', '%I:%i:%s %p'],
  ['%T', '%H:%i:%s'],
  ['%i', '%M'],
  ['%s', '%S'],
];

/** What Trino trims: white space of Unicode that may be broken at. */
const WHITESPACE =
  '\t\n\v\f\r\u001c\u001d\u001e\u001f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000';

/** Run once per DuckDB instance, in order. */
export const PRELUDE: readonly string[] = [
  "SET GLOBAL TimeZone = 'UTC'",
  'SET GLOBAL integer_division = true',
  'CREATE TYPE ipaddress AS VARCHAR',

  // JSON: NULL where the text is no JSON, instead of a failed query. Of an object, Trino's json_extract_scalar is NULL and ours its text: telling them apart costs three times as much.
  'CREATE MACRO json_extract_scalar(j, p) AS try(json_extract_string(j, p))',
  'CREATE MACRO json_extract(j, p) AS try(system.main.json_extract(j, p))',
  "CREATE MACRO json_array_length(j) AS CASE WHEN try(json_type(j)) = 'ARRAY' THEN CAST(try(system.main.json_array_length(j)) AS BIGINT) END",
  "CREATE MACRO json_array_get(j, i) AS try(system.main.json_extract(j, '$[' || CASE WHEN i < 0 THEN '#' ELSE '' END || i || ']'))",
  'CREATE MACRO json_parse(s) AS CAST(s AS JSON)',
  'CREATE MACRO json_format(j) AS CAST(j AS VARCHAR)',

  // Regular expressions: NULL, not '', where nothing matches; replacement of all matches, `$1` for a group.
  'CREATE MACRO regexp_like(s, p) AS regexp_matches(s, p)',
  'CREATE MACRO regexp_split(s, p) AS string_split_regex(s, p)',
  `CREATE MACRO regexp_extract(s, p) AS CASE WHEN regexp_matches(s, p) THEN system.main.regexp_extract(s, p) END,
    (s, p, g) AS CASE WHEN regexp_matches(s, p) THEN system.main.regexp_extract(s, p, g) END`,
  `CREATE MACRO regexp_replace(s, p) AS system.main.regexp_replace(s, p, '', 'g'),
    (s, p, r) AS system.main.regexp_replace(s, p, replace(r, '$', chr(92)), 'g')`,

  ...['trim', 'ltrim', 'rtrim'].map((name) => `CREATE MACRO ${name}(s) AS system.main.${name}(s, '${WHITESPACE}')`),

  // Text: NULL past the last part, NULL where an argument is, `+` is a space in a URL.
  'CREATE MACRO split_part(s, d, n) AS CASE WHEN n <= len(string_split(s, d)) THEN system.main.split_part(s, d, n) END',
  `CREATE MACRO concat(a, b) AS a || b, (a, b, c) AS a || b || c, (a, b, c, d) AS a || b || c || d,
    (a, b, c, d, e) AS a || b || c || d || e, (a, b, c, d, e, f) AS a || b || c || d || e || f`,
  `CREATE MACRO url_decode(s) AS CASE WHEN regexp_full_match(s, '(?s)([^%]|%[0-9a-fA-F]{2})*') THEN system.main.url_decode(replace(s, '+', ' '))
    WHEN s IS NOT NULL THEN CAST(${CAST_FAILS('url_decode: the text', 's')} AS VARCHAR) END`,
  "CREATE MACRO replace(s, a) AS system.main.replace(s, a, ''), (s, a, b) AS system.main.replace(s, a, b)",
  'CREATE MACRO to_utf8(s) AS encode(s)',
  'CREATE MACRO from_utf8(b) AS decode(b)',

  // Time: whole units between two points; a unit after the number; seconds since 1970.
  'CREATE MACRO date_diff(u, a, b) AS datesub(u, a, b)',
  `CREATE MACRO date_add(u, n, t) AS CASE lower(u) WHEN 'millisecond' THEN t + to_milliseconds(n) WHEN 'second' THEN t + to_seconds(n)
    WHEN 'minute' THEN t + to_minutes(n) WHEN 'hour' THEN t + to_hours(n) WHEN 'day' THEN t + to_days(CAST(n AS INTEGER))
    WHEN 'week' THEN t + to_days(CAST(n * 7 AS INTEGER)) WHEN 'month' THEN t + to_months(CAST(n AS INTEGER))
    WHEN 'quarter' THEN t + to_months(CAST(n * 3 AS INTEGER)) WHEN 'year' THEN t + to_years(CAST(n AS INTEGER))
    ELSE ${CAST_FAILS('date_add: the unit', 'u')} END`,
  'CREATE MACRO from_unixtime(s) AS make_timestamp(CAST(CAST(s AS DOUBLE) * 1000000 AS BIGINT))',
  'CREATE MACRO to_unixtime(t) AS epoch(t)',
  // By pattern: a plain cast takes 'infinity' and 'epoch' as well.
  `CREATE MACRO from_iso8601_timestamp(s) AS CAST(CASE WHEN regexp_full_match(s,
    '[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?')
    THEN s ELSE 'not ISO 8601: ' || s END AS TIMESTAMPTZ)`,
  `CREATE MACRO from_iso8601_date(s) AS CAST(CASE WHEN regexp_full_match(s, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN s ELSE 'not ISO 8601: ' || s END AS DATE)`,
  `CREATE MACRO date_format(t, f) AS strftime(t, ${FORMAT_LETTERS.reduce((text, [trino, duckdb]) => `replace(${text}, '${trino}', '${duckdb}')`, 'f')})`,
  `CREATE MACRO date_parse(s, f) AS CASE f ${DATE_FORMATS.map(([trino, duckdb]) => `WHEN '${trino}' THEN strptime(s, '${duckdb}')`).join(' ')}
    ELSE ${CAST_FAILS('date_parse: the format', 'f')} END`,
  'CREATE MACRO day_of_week(t) AS isodow(t)',
  'CREATE MACRO day_of_month(t) AS day(t)',
  'CREATE MACRO day_of_year(t) AS dayofyear(t)',
  'CREATE MACRO at_timezone(t, z) AS timezone(z, t)',

  // Arrays: order of first occurrence, NULLs last when sorted, NULL for an index outside.
  'CREATE MACRO cardinality(x) AS CAST(len(x) AS BIGINT)',
  'CREATE MACRO element_at(x, i) AS x[i]',
  "CREATE MACRO array_join(a, d) AS CASE WHEN a IS NOT NULL THEN coalesce(array_to_string(a, d), '') END",
  `CREATE MACRO sequence(a, b) AS CASE WHEN a <= b THEN generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT))
    ELSE generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT), -1) END`,
  'CREATE MACRO array_distinct(x) AS list_filter(x, (v, i) -> list_position(x, v) = i)',
  `CREATE MACRO array_union(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN
    list_filter(list_concat(a, b), (v, i) -> list_position(list_concat(a, b), v) = i) END`,
  "CREATE MACRO array_sort(x) AS list_sort(x, 'ASC', 'NULLS LAST')",
  // Unknown where only a NULL could be what they share.
  `CREATE MACRO arrays_overlap(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(a, b) THEN true
    WHEN len(a) = 0 OR len(b) = 0 THEN false WHEN len(a) = list_count(a) AND len(b) = list_count(b) THEN false END`,

  'CREATE MACRO approx_distinct(x) AS approx_count_distinct(x)',
  'CREATE MACRO approx_percentile(x, p) AS approx_quantile(x, p)',
  'CREATE MACRO every(x) AS bool_and(x)',
  ...['greatest', 'least'].map(
    (
      name,
    ) => `CREATE MACRO ${name}(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN system.main.${name}(a, b) END,
    (a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL THEN system.main.${name}(a, b, c) END`,
  ),

  // Addresses as hex digits, 8 for IPv4 and 32 for IPv6, NULL for anything else. `list_transform([value], x -> …)[1]` binds a value once, where a macro would repeat its text.
  "CREATE MACRO ipv4_hex(s) AS array_to_string(list_transform(string_split(s, '.'), o -> format('{:02x}', CAST(o AS INTEGER))), '')",
  `CREATE MACRO ipv6_hex(s) AS CASE WHEN regexp_full_match(s, '(${GROUPS})?(::(${GROUPS})?)?') THEN list_transform([list_transform(string_split(s, '::'),
    side -> array_to_string(list_transform(string_split(side, ':'), g -> CASE WHEN g = '' THEN '' ELSE lpad(g, 4, '0') END), ''))],
    h -> CASE WHEN len(h) = 1 AND len(h[1]) = 32 THEN h[1] WHEN len(h) = 2 AND len(h[1]) + len(h[2]) <= 28 THEN h[1] || repeat('0', 32 - len(h[1]) - len(h[2])) || h[2] END)[1] END`,
  `CREATE MACRO ip_hex(s) AS CASE WHEN regexp_full_match(s, '${IPV4}') THEN ipv4_hex(s) WHEN strpos(s, ':') > 0 THEN
    list_transform([ipv6_hex(list_transform([lower(s)], a -> CASE WHEN regexp_full_match(a, '.*:${IPV4}') THEN list_transform([ipv4_hex(system.main.split_part(a, ':', -1))],
    h -> system.main.regexp_replace(a, '[^:]*$', substr(h, 1, 4) || ':' || substr(h, 5, 4)))[1] ELSE a END)[1])],
    h -> CASE WHEN starts_with(h, '${MAPPED}') THEN substr(h, 25) ELSE h END)[1] END`,
  "CREATE MACRO hex_digit(h, i) AS strpos('0123456789abcdef', substr(h, i, 1)) - 1",
  `CREATE MACRO hex_prefix_equal(a, b, bits) AS substr(a, 1, bits // 4) = substr(b, 1, bits // 4)
    AND (bits % 4 = 0 OR hex_digit(a, bits // 4 + 1) >> (4 - bits % 4) = hex_digit(b, bits // 4 + 1) >> (4 - bits % 4))`,
  // True where the address lies in the network, false where not (also when one is IPv4 and the other IPv6), NULL unless both parse.
  `CREATE MACRO cidr_match(net, address) AS list_transform([{'hex': list_transform([system.main.split_part(net, '/', 1), address], a -> ip_hex(a)),
    'bits': CASE WHEN regexp_full_match(net, '[^/]+/(0|[1-9][0-9]{0,2})') THEN CAST(system.main.split_part(net, '/', 2) AS INTEGER) END, 'colon': strpos(net, ':') > 0}],
    x -> list_transform([x.bits - CASE WHEN x.colon AND len(x.hex[1]) = 8 THEN 96 ELSE 0 END], bits -> CASE
      WHEN x.hex[2] IS NULL OR bits IS NULL OR bits NOT BETWEEN 0 AND 4 * len(x.hex[1]) THEN NULL
      WHEN len(x.hex[1]) <> len(x.hex[2]) THEN false ELSE hex_prefix_equal(x.hex[1], x.hex[2], bits) END)[1])[1]`,
];
