/** The catalog's relations: their columns, what they mean, and the statements that create them. */
import type { CatalogTable } from '../store.ts';

/** The layout of a store folder and of its catalog. Raised together with a migration in store/migrations.ts. */
export const STORE_VERSION = 3;

export const LOG_FILE: CatalogTable = {
  name: 'log_file',
  doc: 'The ledger: one row for each log file that was read, or could not be.',
  columns: [
    { name: 'id', type: 'BIGINT', doc: 'Number of the log file; the column log_file of the events points to it.' },
    { name: 'key', type: 'VARCHAR', doc: 'Absolute path, archive and member joined by `!`, or the object in S3.' },
    { name: 'size_bytes', type: 'BIGINT', doc: 'Bytes as delivered.' },
    { name: 'version', type: 'VARCHAR', doc: 'Modification time in milliseconds, or the ETag.' },
    {
      name: 'sha256',
      type: 'VARCHAR',
      doc: 'SHA-256 of the uncompressed bytes, in hex; null when they could not all be read.',
    },
    {
      name: 'status',
      type: 'VARCHAR',
      doc: '`done`, `damaged` (read up to the damage, the rest is one reject) or `failed` (tried again next time).',
    },
    { name: 'kind', type: 'VARCHAR', doc: 'What the content is: `log`, `digest`, `insights`, `empty`, `other`.' },
    { name: 'copy_of', type: 'BIGINT', doc: 'The log file whose content this one repeats byte for byte.' },
    { name: 'uncompressed_bytes', type: 'BIGINT', doc: 'Bytes after decompression.' },
    { name: 'records_in', type: 'BIGINT', doc: 'Records found: stored, duplicate and rejected together.' },
    { name: 'stored', type: 'BIGINT', doc: 'Records stored as events, id conflicts among them.' },
    { name: 'duplicate', type: 'BIGINT', doc: 'Records that the store already held.' },
    { name: 'rejected', type: 'BIGINT', doc: 'Records that could not be decoded.' },
    {
      name: 'id_conflicts',
      type: 'BIGINT',
      doc: 'Stored records whose event id another event of that day carries with other facts.',
    },
    { name: 'without_time', type: 'BIGINT', doc: 'Stored records without a usable event time.' },
    { name: 'first_event', type: 'TIMESTAMP', doc: 'Earliest event time among all records of the file.' },
    { name: 'last_event', type: 'TIMESTAMP', doc: 'Latest event time among all records of the file.' },
    { name: 'error', type: 'VARCHAR', doc: 'Why it is damaged or failed.' },
    {
      name: 'content_hash',
      type: 'BIGINT',
      doc: 'The first 64 bits of sha256 as a number: finds a content among millions.',
    },
    {
      name: 'listing_hash',
      type: 'BIGINT',
      doc: '64 bits of the SHA-256 over key, size and version: finds a listed file among millions.',
    },
    { name: 'seq', type: 'BIGINT', doc: 'Sequence number of the commit that made it visible.' },
    { name: 'ingested_at', type: 'TIMESTAMP', doc: 'Our clock at that commit, UTC.' },
  ],
};

export const REJECT: CatalogTable = {
  name: 'reject',
  doc: 'Records that could not be decoded, kept with their reason.',
  columns: [
    { name: 'log_file', type: 'BIGINT', doc: 'Id of the log file.' },
    { name: 'record_no', type: 'BIGINT', doc: 'Position of the record in its log file, from 0.' },
    { name: 'byte_offset', type: 'BIGINT', doc: 'Byte offset in the uncompressed log file.' },
    { name: 'byte_length', type: 'BIGINT', doc: 'Bytes that the reject stands for.' },
    { name: 'reason', type: 'VARCHAR', doc: 'Stable kebab-case reason.' },
    { name: 'detail', type: 'VARCHAR', doc: 'What exactly was wrong.' },
    {
      name: 'raw_base64',
      type: 'VARCHAR',
      doc: 'The first 64 KiB of the record as delivered, in base64: from_base64() gives the bytes.',
    },
  ],
};

export const ID_CONFLICT: CatalogTable = {
  name: 'id_conflict',
  doc: 'Events whose id was already taken, on the same day, by an event with other facts. Both are stored.',
  columns: [
    { name: 'event_id', type: 'VARCHAR', doc: 'The id that two different events carry.' },
    { name: 'event_date', type: 'VARCHAR', doc: 'UTC date of the later found event, YYYY-MM-DD.' },
    { name: 'log_file', type: 'BIGINT', doc: 'Id of the log file of the later found event.' },
    { name: 'record_no', type: 'BIGINT', doc: 'Its position there.' },
  ],
};

const ALERT: CatalogTable = {
  name: 'alert',
  doc: 'Alerts as found by hunts, with what people decided about them.',
  columns: [
    { name: 'id', type: 'VARCHAR', doc: 'First 32 hex digits of a SHA-256 over detector, subject and slot.' },
    { name: 'detector', type: 'VARCHAR', doc: 'Detector id.' },
    { name: 'detector_version', type: 'INTEGER', doc: 'Version of the detector that last found it.' },
    { name: 'title', type: 'VARCHAR', doc: 'Title of the detector.' },
    { name: 'severity', type: 'VARCHAR', doc: '`informational`, `low`, `medium`, `high` or `critical`.' },
    { name: 'status', type: 'VARCHAR', doc: '`open`, `acknowledged`, `closed`, `suppressed` or `withdrawn`.' },
    { name: 'subject', type: 'VARCHAR', doc: 'Columns and values of the subject, as JSON.' },
    { name: 'summary', type: 'VARCHAR', doc: 'Who did what, from where.' },
    { name: 'count', type: 'BIGINT', doc: 'Events of the finding.' },
    { name: 'peak', type: 'BIGINT', doc: 'Highest live count of a threshold.' },
    { name: 'first_seen', type: 'TIMESTAMP', doc: 'Time of the first event.' },
    { name: 'last_seen', type: 'TIMESTAMP', doc: 'Time of the last event.' },
    { name: 'window_from', type: 'TIMESTAMP', doc: 'Start of the slot.' },
    { name: 'window_to', type: 'TIMESTAMP', doc: 'End of the slot, exclusive.' },
    { name: 'account_id', type: 'VARCHAR', doc: 'The account, null if several.' },
    { name: 'region', type: 'VARCHAR', doc: 'The region, null if several.' },
    { name: 'accounts', type: 'VARCHAR[]', doc: 'All accounts.' },
    { name: 'regions', type: 'VARCHAR[]', doc: 'All regions.' },
    { name: 'source_ips', type: 'VARCHAR[]', doc: 'Source addresses, 20 at most.' },
    { name: 'principal_arn', type: 'VARCHAR', doc: 'ARN of the principal, null if several or none.' },
    {
      name: 'context',
      type: 'VARCHAR',
      doc: 'What was known of its addresses and accounts when it was last found, as JSON; null for nothing.',
    },
    { name: 'attack', type: 'VARCHAR', doc: 'ATT&CK techniques with version, as JSON.' },
    { name: 'event_ids', type: 'VARCHAR[]', doc: 'The first 20 event ids by time.' },
    { name: 'event_ids_total', type: 'BIGINT', doc: 'How many events there are in all.' },
    { name: 'parameters', type: 'VARCHAR', doc: 'Parameters of the detector at the last finding, as JSON.' },
    { name: 'found_at', type: 'TIMESTAMP', doc: 'Our clock when it was found first, UTC.' },
    { name: 'updated_at', type: 'TIMESTAMP', doc: 'Our clock at its last change, UTC.' },
    { name: 'status_by', type: 'VARCHAR', doc: 'Who set the status; null for trailhound itself.' },
    { name: 'status_why', type: 'VARCHAR', doc: 'Why.' },
    {
      name: 'suppressed_by',
      type: 'VARCHAR',
      doc: 'Number of the suppression that covers it, or `config:` and a hash of what one of the config covers.',
    },
    { name: 'revision', type: 'BIGINT', doc: 'How many changes of it there are in alert_change.' },
    { name: 'told_count', type: 'BIGINT', doc: 'Its events at the last of them: twice as many are the next one.' },
  ],
};

export const ALERT_CHANGE: CatalogTable = {
  name: 'alert_change',
  doc: 'What happened to alerts: found, grown, decided upon.',
  columns: [
    { name: 'seq', type: 'BIGINT', doc: 'Grows with every change.' },
    { name: 'alert_id', type: 'VARCHAR', doc: 'The alert.' },
    { name: 'revision', type: 'BIGINT', doc: 'Number of the change of this alert, from 1.' },
    {
      name: 'change',
      type: 'VARCHAR',
      doc: '`new`, `grown` (twice the events), `reopened`, `acknowledged`, `closed`, `suppressed` or `withdrawn`.',
    },
    { name: 'count', type: 'BIGINT', doc: 'Its events then.' },
    { name: 'changed_at', type: 'TIMESTAMP', doc: 'Our clock, UTC.' },
    { name: 'changed_by', type: 'VARCHAR', doc: 'Who; null for trailhound itself.' },
    { name: 'why', type: 'VARCHAR', doc: 'Why.' },
  ],
};

/** Not stored: store/derived.ts makes it of the alerts whenever it is read. */
export const INCIDENT: CatalogTable = {
  name: 'incident',
  doc: 'Alerts of one principal that follow one another, as one story. Made of the alerts as they are: see docs/alerts.md.',
  columns: [
    {
      name: 'id',
      type: 'VARCHAR',
      doc: 'First 32 hex digits of a SHA-256 over the principal and the slot in which it begins.',
    },
    { name: 'principal', type: 'VARCHAR', doc: 'Whom its alerts are about.' },
    {
      name: 'severity',
      type: 'VARCHAR',
      doc: 'The highest of its alerts, one higher where they pass through three tactics.',
    },
    { name: 'status', type: 'VARCHAR', doc: '`open` while one alert is, `closed` when all are, else `acknowledged`.' },
    { name: 'story', type: 'VARCHAR', doc: 'Who from where, what in order of time, how long.' },
    { name: 'alerts', type: 'BIGINT', doc: 'How many alerts it holds.' },
    { name: 'first_seen', type: 'TIMESTAMP', doc: 'Time of the first event.' },
    { name: 'last_seen', type: 'TIMESTAMP', doc: 'Time of the last event.' },
    { name: 'accounts', type: 'VARCHAR[]', doc: 'All accounts.' },
    { name: 'regions', type: 'VARCHAR[]', doc: 'All regions.' },
    { name: 'source_ips', type: 'VARCHAR[]', doc: 'Source addresses, 20 at most.' },
    { name: 'tactics', type: 'VARCHAR[]', doc: 'ATT&CK tactics in the order in which they first appear.' },
    { name: 'alert_ids', type: 'VARCHAR[]', doc: 'Its alerts, in order of time.' },
  ],
};

/** Not stored: as incidents. */
export const ALERT_RANK: CatalogTable = {
  name: 'alert_rank',
  doc: 'Which alert to look at first, and why. Made of the alerts as they are: see docs/alerts.md.',
  columns: [
    { name: 'alert_id', type: 'VARCHAR', doc: 'The alert.' },
    { name: 'place', type: 'BIGINT', doc: '1 is looked at first.' },
    { name: 'points', type: 'INTEGER', doc: 'The sum of the other columns.' },
    { name: 'severity', type: 'INTEGER', doc: 'Points for the severity.' },
    { name: 'rarity', type: 'INTEGER', doc: 'Points for a detector that speaks of few principals.' },
    { name: 'news', type: 'INTEGER', doc: 'Points for the first alert of its detector about its principal.' },
    { name: 'habit', type: 'INTEGER', doc: 'Zero or less: its detector says the same of its principal on other days.' },
    { name: 'chain', type: 'INTEGER', doc: 'Points for what else that is no habit the principal did around it.' },
    {
      name: 'told',
      type: 'INTEGER',
      doc: 'Zero or less: alerts above it tell of the same incident, or are of the same detector.',
    },
  ],
};

export const DELIVERY: CatalogTable = {
  name: 'delivery',
  doc: 'The outbox: one row for each message and destination.',
  columns: [
    { name: 'id', type: 'BIGINT', doc: 'Grows with every message.' },
    { name: 'sink', type: 'VARCHAR', doc: 'Id of the destination in the config.' },
    { name: 'key', type: 'VARCHAR', doc: 'Idempotency key: the same at every attempt.' },
    { name: 'kind', type: 'VARCHAR', doc: '`alert`, `alerts`, `past`, `report`, `notice`.' },
    { name: 'title', type: 'VARCHAR', doc: 'Its first line.' },
    { name: 'alert_id', type: 'VARCHAR', doc: 'The alert that it is about, if it is one.' },
    {
      name: 'state',
      type: 'VARCHAR',
      doc: '`pending`, `delivered`, `grouped` (another message tells of it), `dead` (given up) or `dry` (the destination is on trial).',
    },
    { name: 'attempts', type: 'BIGINT', doc: 'How often it was tried.' },
    { name: 'created_at', type: 'TIMESTAMP', doc: 'Our clock when it was queued, UTC.' },
    { name: 'next_at', type: 'TIMESTAMP', doc: 'When it is tried next; null unless pending.' },
    { name: 'settled_at', type: 'TIMESTAMP', doc: 'When it was taken, grouped or given up.' },
    { name: 'error', type: 'VARCHAR', doc: 'Why the last attempt failed.' },
    { name: 'reference', type: 'VARCHAR', doc: 'What the destination gave back, such as a thread.' },
  ],
};

export const HUNT_RUN: CatalogTable = {
  name: 'hunt_run',
  doc: 'Runs of the hunts of the config that were due at a time.',
  columns: [
    { name: 'hunt', type: 'VARCHAR', doc: 'Id of the hunt in the config.' },
    { name: 'due_at', type: 'TIMESTAMP', doc: 'When it was due by its schedule, UTC.' },
    { name: 'started_at', type: 'TIMESTAMP', doc: 'Our clock when it began.' },
    { name: 'ended_at', type: 'TIMESTAMP', doc: 'Our clock when it ended.' },
    { name: 'state', type: 'VARCHAR', doc: '`done`, `failed`, or `skipped`: a later one stands for it.' },
    { name: 'found', type: 'BIGINT', doc: 'Alerts that it found, or rows of its question.' },
    { name: 'fresh', type: 'BIGINT', doc: 'Alerts that were new.' },
    { name: 'error', type: 'VARCHAR', doc: 'Why it failed.' },
    { name: 'scanned_bytes', type: 'BIGINT', doc: 'Bytes that its statements on Athena scanned; null over the store.' },
  ],
};

export const SOURCE_STATE: CatalogTable = {
  name: 'source_state',
  doc: 'What `watch` knows of each source of the config.',
  columns: [
    { name: 'source', type: 'VARCHAR', doc: 'As the config names it.' },
    { name: 'listed_at', type: 'TIMESTAMP', doc: 'Our clock when it was last listed to its end.' },
    { name: 'arrived_at', type: 'TIMESTAMP', doc: 'Our clock when it last had a log file that was new.' },
    { name: 'files', type: 'BIGINT', doc: 'New log files that it had since it is watched.' },
    {
      name: 'usual_gap_ms',
      type: 'BIGINT',
      doc: 'Milliseconds that usually lie between two arrivals; null until that is known.',
    },
    {
      name: 'silent_since',
      type: 'TIMESTAMP',
      doc: 'Last arrival before the silence that was told of; null while it is not silent.',
    },
    { name: 'error', type: 'VARCHAR', doc: 'Why it could not be listed the last time; null when it could.' },
  ],
};

const SUPPRESSION: CatalogTable = {
  name: 'suppression',
  doc: 'Findings that people decided not to be bothered with; config suppressions are not in here.',
  columns: [
    { name: 'id', type: 'BIGINT', doc: 'Number, for `suppress remove`.' },
    { name: 'detector', type: 'VARCHAR', doc: 'Detector id, null for all.' },
    { name: 'conditions', type: 'VARCHAR', doc: 'Columns and values that must match, as JSON.' },
    { name: 'reason', type: 'VARCHAR', doc: 'Why.' },
    { name: 'owner', type: 'VARCHAR', doc: 'Who decided.' },
    { name: 'until', type: 'TIMESTAMP', doc: 'When it ends; null for never.' },
    {
      name: 'created_at',
      type: 'TIMESTAMP',
      doc: 'Our clock when it was added, UTC; null where an older version did.',
    },
  ],
};

/** What SQL may read beside the event tables. */
export const CATALOG_TABLES: readonly CatalogTable[] = [
  LOG_FILE,
  REJECT,
  ID_CONFLICT,
  ALERT,
  ALERT_CHANGE,
  INCIDENT,
  ALERT_RANK,
  SUPPRESSION,
  DELIVERY,
  HUNT_RUN,
  SOURCE_STATE,
];

export const createStatement = ({ name, columns }: CatalogTable): string =>
  `CREATE TABLE IF NOT EXISTS ${name} (${columns.map((column) => `${column.name} ${column.type}`).join(', ')})`;

/** For trailhound alone: the messages that are still to be delivered, how far watching has come, and from when on each detector's alerts are told of. */
export const CREATE_WATCH: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS delivery_message (id BIGINT, message VARCHAR)',
  'CREATE TABLE IF NOT EXISTS watch_state (name VARCHAR, value VARCHAR)',
  'CREATE TABLE IF NOT EXISTS notify_since (detector VARCHAR, version INTEGER, parameters_hash VARCHAR, since TIMESTAMP)',
];

/**
 * No PRIMARY KEY: it makes a ledger of millions of files slow to build and to open; only the holder of the lease inserts, with ids of its own.
 * `segment` and `ingest_commit` are for trailhound alone.
 */
export const CREATE_CATALOG: readonly string[] = [
  ...CATALOG_TABLES.filter((table) => table !== INCIDENT && table !== ALERT_RANK).map(createStatement),
  `CREATE TABLE segment (table_name VARCHAR, event_date DATE, path VARCHAR, row_count BIGINT, size_bytes BIGINT, min_time TIMESTAMP, max_time TIMESTAMP,
    seq BIGINT, schema_version INTEGER, superseded_at TIMESTAMP)`,
  'CREATE TABLE ingest_commit (seq BIGINT, table_name VARCHAR, min_time TIMESTAMP, max_time TIMESTAMP, committed_at TIMESTAMP)',
  'CREATE TABLE hunt (detector VARCHAR, version INTEGER, parameters_hash VARCHAR, seq BIGINT)',
  'CREATE TABLE pruned (table_name VARCHAR, before DATE, row_count BIGINT, pruned_at TIMESTAMP)',
  ...CREATE_WATCH,
];
