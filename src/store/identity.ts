/** When two stored records are the same: the SQL side of the 24 bytes that a decoder gives with each row (Batch.identity). */

/** Between the facts, so that no two lists of facts give one text. */
const SEPARATOR = 'chr(31)';

/** 64 bits of the MD5 over the facts that a record with the same id must share; an absent fact is the empty text. */
const IDENTITY_FACTS = `md5_number_lower(${[
  "coalesce(CAST(epoch_us(event_time) AS VARCHAR), '')",
  "coalesce(event_source, '')",
  "coalesce(event_name_raw, '')",
  "coalesce(account_id, '')",
].join(` || ${SEPARATOR} || `)})`;

/** A canonical UUID is its own 128 bits; any other id is its MD5, read the same way. */
const IDENTITY_ID = `CASE WHEN regexp_full_match(event_id, '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')
  THEN CAST(event_id AS UUID) ELSE CAST(md5(event_id) AS UUID) END`;

/** One row per stored record with an event id: `id` UUID, `facts` UBIGINT. `files` is a SQL list of segment paths. */
export const identityQuery = (files: string): string =>
  `SELECT ${IDENTITY_ID} AS id, ${IDENTITY_FACTS} AS facts FROM read_parquet(${files}) WHERE event_id IS NOT NULL AND event_id <> ''`;
