/** The format `s3_access`: S3 server access logs, one request a line. */
import { type Format, REJECT_TEXT_BYTES } from '../format.ts';
import { createS3AccessDecoder } from './s3-access-decoder.ts';
import { s3AccessTable } from './s3-access-table.ts';

/** A canonical user id, a bucket, and the time in brackets. */
const RECORD = /^[0-9a-f]{64} [^ ]+ \[[^\]\n]{1,64}\] /m;
/** `<prefix>YYYY-mm-DD-HH-MM-SS-<16 hex digits>` (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html). */
const KEY = /(?:^|[^0-9])\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}-[0-9A-F]{16}(?:\.gz)?$/;

export const s3AccessFormat: Format = {
  name: 's3_access',
  table: s3AccessTable,
  sniff(head, key) {
    const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, REJECT_TEXT_BYTES)).toString('latin1');
    if (RECORD.test(text.replace(/^\xef\xbb\xbf/, ''))) return 'content';
    return KEY.test(key) ? 'key' : null;
  },
  createDecoder: createS3AccessDecoder,
};
