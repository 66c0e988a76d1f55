/** What may be left out of the store, and what may not. */
import { describe, expect, test } from 'vitest';
import { cloudtrailTable } from '../src/formats/cloudtrail-table.ts';
import { s3AccessTable } from '../src/formats/s3-access-table.ts';
import { wafTable } from '../src/formats/waf-table.ts';
import { parseRedaction } from '../src/redaction.ts';

const tables = [cloudtrailTable, s3AccessTable, wafTable];

describe('a redaction', () => {
  test.each([
    ['s3_access.referrer', { table: 's3_access', column: 'referrer', path: [] }],
    ['waf.headers.Cookie', { table: 'waf', column: 'headers', path: ['cookie'] }],
    [
      'cloudtrail.response_elements.credentials.sessionToken',
      { table: 'cloudtrail', column: 'response_elements', path: ['credentials', 'sessiontoken'] },
    ],
  ])('%s', (text, redaction) => {
    expect(parseRedaction(text, tables)).toEqual(redaction);
  });

  test.each([
    ['cloudtrial.extra', "no table is called 'cloudtrial'. Did you mean 'cloudtrail'?"],
    ['waf.header', "no column is called 'header'. Did you mean 'headers'?"],
    ['waf', "no column is called ''"],
    ['waf.args', 'args tells whether two records are the same'],
    ['cloudtrail.event_id', 'event_id tells whether two records are the same'],
    ['cloudtrail.log_file', 'log_file says where or when'],
    ['cloudtrail.event_name', 'detectors rest on event_name'],
    ['waf.user_agent', 'user_agent is derived'],
    ['s3_access.referrer.x', 'referrer is no JSON'],
    ['waf.headers..x', 'a name of its path is empty'],
  ])('%s is refused', (text, message) => {
    expect(() => parseRedaction(text, tables)).toThrow(message);
  });
});
