/** Lists of indicators, as people receive them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { indicatorDetectors, indicatorLists } from '../../src/cli/indicators.ts';
import { readList } from '../../src/cli/lists.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';

const dir = mkdtempSync(join(tmpdir(), 'trailhound-lists-'));
afterAll(() => rmSync(dir, { recursive: true }));

const read = (text: string) => {
  const file = join(dir, 'list.txt');
  writeFileSync(file, text);
  return readList(file);
};

describe('a list', () => {
  test('tells what each line is', () => {
    const text = [
      '\ufeff# indicators of case 17',
      '198.51.100.7',
      '203[.]0[.]113[.]9   # defanged',
      '2001:DB8::1',
      '192.0.2.0/24',
      '2001:db8::/32',
      'AKIAIOSFODNN7EXAMPLE',
      'ASIAIOSFODNN7EXAMPLE\r',
      'arn:aws:iam::111122223333:user/dora',
      'Boto3/1.26 md/Botocore#1.29 (pacu)',
      '',
      '198.51.100.7',
    ].join('\n');
    expect(read(text)).toEqual([
      { kind: 'address', value: '198.51.100.7' },
      { kind: 'address', value: '203.0.113.9' },
      { kind: 'address', value: '2001:db8::1' },
      { kind: 'network', value: '192.0.2.0/24' },
      { kind: 'network', value: '2001:db8::/32' },
      { kind: 'access_key', value: 'AKIAIOSFODNN7EXAMPLE' },
      { kind: 'access_key', value: 'ASIAIOSFODNN7EXAMPLE' },
      { kind: 'arn', value: 'arn:aws:iam::111122223333:user/dora' },
      { kind: 'user_agent', value: 'Boto3/1.26 md/Botocore#1.29 (pacu)' },
    ]);
  });

  test.each(['192.0.2.0/33', '192.0.2/24', '999.1.1.1', '2001:db8::/129'])('with %s names the line', (line) => {
    expect(() => read(`192.0.2.1\n${line}\n`)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(`list.txt:2: '${line}'`) }),
    );
  });

  test('becomes one table for each kind that occurs, and the detector reads these alone', async () => {
    const indicators = read('198.51.100.7\nAKIAIOSFODNN7EXAMPLE\n');
    const lists = [...indicatorLists(indicators).keys()];
    expect(lists).toEqual(['listed_address', 'listed_access_key']);
    const [{ sql = '' } = {}] = await indicatorDetectors(indicators, [cloudtrailTable]);
    expect([...new Set(sql.match(/list_\w+/g))]).toEqual(lists.map((name) => `list_${name}`));
  });
});
