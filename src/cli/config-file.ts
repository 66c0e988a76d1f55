/** What stands in a config file: checked, and every mistake named with its line and column. */
import { dirname } from 'node:path';
import { z } from 'zod';
import { SEVERITIES } from '../alert.ts';
import { AppError } from '../errors.ts';
import { parseNetworkOrAddress } from '../network.ts';
import { checked, problemsOf } from '../schema-problems.ts';
import { parseBytes } from '../size.ts';
import { durationMs, formatTime, parseTime } from '../time.ts';
import { readYaml } from './yaml.ts';

const text = z.string('expected a text').min(1, 'expected a text that is not empty');
const scalar = z
  .union([z.string(), z.number(), z.boolean()], 'expected a text, a number or a boolean')
  .transform(String);
const duration = text.superRefine((value, context) => void checked(context, () => durationMs(value)));
const time = text.superRefine((value, context) => void checked(context, () => parseTime(value, Date.now())));
/** In UTC. A span would begin anew at every run. */
const moment = text
  .regex(/^\d{4}-/u, 'expected a point in time such as 2027-01-31 or 2027-01-31T12:00Z')
  .transform((value, context) => {
    const ms = checked(context, () => parseTime(value, Date.now()));
    return ms === undefined ? value : formatTime(ms);
  });
const size = z.int('expected a whole number').positive('expected a number above 0');
const name = z
  .string('expected a name')
  .regex(/^[a-z0-9][a-z0-9_-]*$/u, 'expected lower-case letters, digits, - and _');
const severity = z.enum(SEVERITIES, `expected one of ${SEVERITIES.join(', ')}`);
const flag = z.boolean('expected true or false');
const ids = z.array(text, 'expected a list of ids');
const cron = text.describe('A cron expression of five or six fields.');
const zone = text.describe('An IANA time zone (default: UTC).').default('UTC');

const hunt = z.strictObject({
  id: name,
  detectors: ids.describe('Only these detectors.').optional(),
  tags: z.array(text, 'expected a list of tags').describe('Only detectors with one of these tags.').optional(),
  min_severity: severity.describe('Only detectors of this severity or above.').optional(),
  query: text.describe('A saved question instead of detectors: its answer is delivered.').optional(),
  parameters: z.record(z.string(), scalar, 'expected names and values').describe('Values of the question.').default({}),
  schedule: cron
    .describe('When it runs (default: whenever new events are stored; on Athena at 2 every day).')
    .optional(),
  time_zone: zone,
  window: duration.describe('Judges so much before each time that it runs (default: all that is new).').optional(),
  lateness: duration.describe('How long slots are kept open for late events (default: 1h).').optional(),
  sinks: ids.describe('Destinations of the answer to a question (default: all that take notices).').optional(),
});

/** Keys that every destination has; those of its type are checked where it is opened. */
const sink = z.looseObject({
  id: name,
  type: text,
  min_severity: severity.describe('Only alerts of this severity or above.').default('low'),
  detectors: ids.describe('Only alerts of these detectors.').optional(),
  accounts: z.array(text, 'expected a list of account ids').describe('Only alerts of these accounts.').optional(),
  updates: flag.describe('Also what happens to an alert later on.').default(true),
  notices: flag.describe('Also the past, answers to questions, and words on trailhound itself.').optional(),
  group_by: z
    .enum(['none', 'detector', 'account'], "expected 'none', 'detector' or 'account'")
    .describe('Alerts that wait together and have this in common come as one message.')
    .default('none'),
  rate_limit: z
    .string('expected messages per time, such as 30/1m')
    .regex(/^[1-9]\d{0,5}\/[1-9]\d{0,5}[smh]$/u, 'expected messages per time, such as 30/1m')
    .describe('So many messages at most; more alerts come as one (default: 30/1m where people read, else none).')
    .optional(),
  dry_run: flag.describe('Nothing is sent: what would be is logged.').default(false),
  give_up_after: duration.describe('For so long a message is tried again.').default('7d'),
});

export const SINK_COMMON_KEYS = Object.keys(sink.shape);

const watch = z.strictObject({
  poll: duration.describe('How often folders and buckets are listed (default: 10s).').default('10s'),
  notify_since: time
    .describe('Alerts of before are told of in one summary only; counts at the first watch of a store (default: then).')
    .optional(),
  silence: flag.describe('Tell when a source that always delivered has gone silent.').default(true),
  all_quiet: cron.describe('When to say how the last day was.').optional(),
  time_zone: zone,
  heartbeat_url: text.describe('Asked for after every good minute, env:NAME or file:path or the address.').optional(),
  listen: text
    .regex(
      /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):\d{1,5}$/u,
      'expected an address of loopback and a port, such as 127.0.0.1:9464',
    )
    .describe('Where /healthz and /metrics are served.')
    .optional(),
  reconcile: size.describe('Beside a queue: days of a bucket that are listed, for messages that were lost.').optional(),
});

const override = z
  .strictObject({
    accounts: z
      .array(text, 'expected a list of account ids or names')
      .describe('Account ids, or names of enrichment.accounts.')
      .default([]),
    ous: z
      .array(text, 'expected a list of organizational units')
      .describe('Organizational units, such as Root/Sandbox, with all that is below them.')
      .default([]),
    tags: z
      .record(z.string(), scalar, 'expected names and values')
      .describe('Tags that an account has, all of them.')
      .default({}),
    parameters: z.record(
      z.string(),
      z.record(z.string(), z.unknown(), 'expected names and values'),
      'expected detector ids',
    ),
  })
  .refine(
    ({ accounts, ous, tags }) => accounts.length + ous.length + Object.keys(tags).length > 0,
    'expected accounts, ous or tags: values for all accounts stand under parameters',
  );

const enrichment = z.strictObject({
  mmdb: z
    .strictObject({
      country: text.describe('A database with countries.').optional(),
      asn: text.describe('A database with autonomous systems.').optional(),
    })
    .describe('Files in the MMDB format.')
    .default({}),
  aws_ranges: text.describe('The file ip-ranges.json that AWS publishes.').optional(),
  networks: z
    .record(
      z.string(),
      z.array(
        text.refine(
          (line) => parseNetworkOrAddress(line) !== null,
          'expected an address or a network in CIDR notation',
        ),
        'expected a list of networks',
      ),
      'expected names and networks',
    )
    .describe('Networks that are yours or known to you, by name.')
    .default({}),
  threats: z
    .array(text, 'expected a list of names')
    .describe('Those of the lists that hold addresses of threats.')
    .default([]),
  accounts: text.describe('A file of accounts; `trailhound accounts import` writes it.').optional(),
});

const schema = z.strictObject(
  {
    store: text.describe('Folder of the store.').optional(),
    sources: z
      .array(text, 'expected a list of paths')
      .describe('What `scan` and `ingest` read when no source is named.')
      .default([]),
    backend: z
      .enum(['duckdb', 'athena'], "expected 'duckdb' or 'athena'")
      .describe('Where statements run.')
      .default('duckdb'),
    detectors: z
      .array(text, 'expected a list of paths')
      .describe('Files or folders with detectors of your own.')
      .default([]),
    rules: z.array(text, 'expected a list of paths').describe('Files or folders with Sigma rules.').default([]),
    placeholders: z
      .record(
        z.string(),
        z.union([scalar.transform((value) => [value]), z.array(scalar, 'expected texts')]),
        'expected names and values',
      )
      .describe('Values of the placeholders of Sigma rules, by the name between the percent signs.')
      .default({}),
    parameters: z
      .record(z.string(), z.record(z.string(), z.unknown(), 'expected names and values'), 'expected detector ids')
      .describe('Values of detector parameters, by detector id and name.')
      .default({}),
    overrides: z
      .array(override, 'expected a list')
      .describe('Values of detector parameters for some accounts; of several for one account, the last stands.')
      .default([]),
    lists: z
      .record(
        z.string().regex(/^[a-z][a-z0-9_]*$/u, 'expected a name of lower-case letters, digits and _'),
        text,
        'expected names and files',
      )
      .describe('Files of addresses, CIDRs, keys, ARNs and user agents; each becomes the table list_<name>.')
      .default({}),
    enrichment: enrichment
      .describe('What is known beside the logs of addresses and accounts; nothing is downloaded.')
      .default(enrichment.parse({})),
    suppress: z
      .array(
        z.strictObject({
          detector: text.nullable().default(null),
          where: z.record(z.string(), scalar, 'expected columns and values').default({}),
          reason: text,
          owner: text,
          until: moment.nullable().default(null),
        }),
        'expected a list',
      )
      .describe('Alerts that a person decided not to be told of.')
      .default([]),
    mask: z
      .array(
        text.regex(/^[\w.-]+$/u, 'expected the name of a header, parameter or member: letters, digits, -, _ and .'),
        'expected a list of names',
      )
      .describe('Further headers, parameters and members whose values are secrets.')
      .default([]),
    redact: z
      .array(text, 'expected a list of columns and paths')
      .describe('Columns that are not stored, as table.column, and members of JSON columns, as table.column.member.')
      .default([]),
    retention: duration.describe('Events older than this are pruned after an ingest, for example 400d.').optional(),
    limits: z
      .strictObject({
        record_bytes: size.describe('A record over this size becomes a reject.').optional(),
        window_bytes: size.describe('Text that a worker holds at most.').optional(),
        max_ratio: size.describe('Inflated size over compressed size at most.').optional(),
        max_file_bytes: size.describe('Inflated size of one log file at most.').optional(),
        workers: size.describe('Worker threads of an ingest.').optional(),
      })
      .default({}),
    aws: z
      .strictObject({
        profile: text.describe("A profile of the AWS CLI's files.").optional(),
        region: text.describe('Region that requests are sent to.').optional(),
        endpoint_url: text.describe('Another server that speaks the language of AWS.').optional(),
        role_arn: text.describe('A role to assume first.').optional(),
        external_id: text.describe('What the trust policy of that role asks for.').optional(),
        request_payer: z
          .boolean('expected true or false')
          .describe('Pay for requests to a bucket of others.')
          .optional(),
      })
      .describe('How AWS is reached; what is left out comes from the environment and the files of the AWS CLI.')
      .default({}),
    athena: z
      .strictObject({
        database: text.describe('Database of the tables and views (default: trailhound).').optional(),
        catalog: text.describe('Data catalog that has it (default: AwsDataCatalog).').optional(),
        workgroup: text.describe('Workgroup that statements run in (default: primary).').optional(),
        output_location: text
          .describe('Where results go, s3://bucket/prefix/, unless the workgroup says it.')
          .optional(),
        max_scan: text
          .superRefine((value, context) => void checked(context, () => parseBytes(value, 'max_scan')))
          .describe('Bytes that a run may scan at most, for example 50GB.')
          .optional(),
        lateness: duration.describe('How long after its events a log file may be delivered (default: 2d).').optional(),
      })
      .describe('Where and how statements run on Amazon Athena.')
      .default({}),
    hunts: z
      .array(hunt, 'expected a list')
      .describe('What `watch` runs, and when (default: every detector, always).')
      .default([]),
    sinks: z.array(sink, 'expected a list').describe('Where alerts go.').default([]),
    watch: watch.describe('How `trailhound watch` runs.').default(watch.parse({})),
  },
  'expected a mapping',
);

export type ConfigValues = Readonly<z.infer<typeof schema>>;

export type Config = ConfigValues & {
  /** Absolute; null when there is none. */
  readonly file: string | null;
  /** What relative paths in the config start from. */
  readonly dir: string;
  /** `file:line:column` of the value at a path, such as ['suppress', 0, 'reason']. */
  readonly placeOf: (path: readonly PropertyKey[]) => string;
};

/** Throws `config-invalid`. */
export function parseConfig(content: string, file: string): Config {
  const { value, broken, placeOf } = readYaml(content, file);
  if (broken !== null) {
    throw new AppError('config-invalid', `${broken.at}: not valid YAML: ${broken.message}`, {
      hint: 'Indent with spaces, and quote values that hold a colon.',
    });
  }
  const input = value ?? {};
  const result = schema.safeParse(input);
  if (result.success) return { ...result.data, file, dir: dirname(file), placeOf };
  throw new AppError(
    'config-invalid',
    problemsOf(schema, input)
      .map(({ path, message }) => `${placeOf(path)}: ${path.map(String).join('.') || 'config'}: ${message}`)
      .join('\n'),
    { hint: 'docs/examples/trailhound.yaml shows every key.' },
  );
}
