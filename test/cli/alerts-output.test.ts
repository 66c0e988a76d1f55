/** Alerts on a screen, in a pipe, and as a line to paste. */
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import type { Alert } from '../../src/alert.ts';
import type { AlertLife } from '../../src/cli/alert-life.ts';
import { SQL_TABLES } from '../../src/cli/commands/sql.ts';
import { progressLine } from '../../src/cli/ingest.ts';
import { alertDetail, createAlertWriter } from '../../src/cli/output/alerts.ts';
import { isComplete } from '../../src/cli/shell.ts';
import { Terminal } from '../../src/cli/terminal.ts';
import { LAKE, TABLES } from '../../src/cli/wire.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { CATALOG_TABLES } from '../../src/store/catalog-tables.ts';
import { ALERT } from '../support/messages.ts';

const alert: Alert = {
  ...ALERT,
  summary: 'dora called StopLogging on the trail management-events in eu-central-1 and nobody knows why she did',
  count: 1,
  last_seen: '2026-03-02T10:00:00.250Z',
  window: { from: '2026-03-02T10:00:00Z', to: '2026-03-02T10:00:00Z' },
  source_ips: ['198.51.100.7', '198.51.100.8'],
  event_ids: ['0a1b2c3d-0000-4000-8000-000000000001', "x'); DROP TABLE alert; --", '$(reboot)'],
  parameters: {},
};

const life: AlertLife = {
  rank: { place: 2, of: 7, points: 65, severity: 40, rarity: 12, news: 10, habit: 0, chain: 5, told: -2 },
  incident: null,
  suppression: null,
  history: [],
  deliveries: [],
};

/** A terminal of this width that keeps what is written to it. */
class Screen extends Terminal {
  text = '';
  override readonly width: number | null;

  constructor(width: number | null) {
    super();
    this.width = width;
  }

  override out(text: string | Uint8Array): Promise<void> {
    this.text += String(text);
    return Promise.resolve();
  }
}

describe('the table of alerts', () => {
  test('in a pipe has one line for each', async () => {
    const screen = new Screen(null);
    await createAlertWriter('table', screen).write([alert]);
    expect(screen.text).toBe(
      `SEVERITY  TIME                  WHO                     WHAT${' '.repeat(alert.summary.length - 2)}WHERE FROM                    ALERT\n` +
        `critical  2026-03-02T10:00:00Z  user/dora 111122223333  ${alert.summary}  198.51.100.7 +1 eu-central-1  0123456789  new\n`,
    );
  });

  test.each([80, 100, 120, 160, 200])(
    'fits a terminal of %i columns, and says who, what, where from and when',
    async (width) => {
      const screen = new Screen(width);
      await createAlertWriter('table', screen).write([alert]);
      for (const line of screen.text.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(width);
      const words = screen.text.split(/\s+/u);
      for (const word of [
        'critical',
        '2026-03-02T10:00:00Z',
        'user/dora',
        '198.51.100.7',
        '0123456789',
        'new',
        ...alert.summary.split(' '),
      ]) {
        expect(words.map((one) => one.replace(/,$/u, ''))).toContain(word);
      }
    },
  );

  test('has its title once, however many blocks are printed, and the most severe first in each', async () => {
    const screen = new Screen(null);
    const writer = createAlertWriter('table', screen);
    await writer.write([{ ...alert, severity: 'low' }, alert]);
    await writer.write([{ ...alert, severity: 'medium', new: false }]);
    await writer.end();
    expect(screen.text.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'SEVERITY',
      'critical',
      'low',
      'medium',
      '',
    ]);
  });

  test('as CSV starts no formula', async () => {
    const screen = new Screen(null);
    await createAlertWriter('csv', screen).write([{ ...alert, summary: '=HYPERLINK("http://x")' }]);
    expect(screen.text).toContain(`,"'=HYPERLINK(""http://x"")",`);
  });
});

test('the detail of an alert gives a line to paste that holds no id which a shell or SQL would obey', () => {
  const text = alertDetail(alert, life, cloudtrailTable, new Terminal());
  expect(text).toContain(
    `trailhound sql "SELECT * FROM cloudtrail WHERE event_id IN ('0a1b2c3d-0000-4000-8000-000000000001') AND event_time >= TIMESTAMP '2026-03-02 10:00:00.000' AND event_time < TIMESTAMP '2026-03-02 10:00:00.251' ORDER BY event_time, event_id"`,
  );
});

describe('the shell', () => {
  test.each([
    ['SELECT 1;', true],
    ['SELECT 1;  \n', true],
    ['SELECT 1; -- done', true],
    ['SELECT 1', false],
    ["SELECT ';", false],
    ["SELECT ';'", false],
    ["SELECT ';';", true],
    ['SELECT ";', false],
    ['SELECT 1 -- ;', false],
    ['SELECT 1 /* ;', false],
    ["SELECT 'it''s;';", true],
  ])('takes %j for whole: %s', (text, expected) => {
    expect(isComplete(text)).toBe(expected);
  });
});

test('the help of sql names every table that there is', () => {
  expect(SQL_TABLES).toEqual([...TABLES, LAKE, ...CATALOG_TABLES].map(({ name }) => name));
});

test('the progress line tells files, speed and what is left', () => {
  const progress = {
    filesListed: 4000,
    bytesListed: 4e9,
    filesDone: 1000,
    bytesDone: 1e9,
    records: 2e6,
    uncompressedBytes: 3e9,
    elapsedMs: 20_000,
  };
  expect(progressLine({ ...progress, listingEnded: true })).toBe(
    '1,000 of 4,000 files, 2,000,000 events, 100,000 events/s, 150 MB/s, 1 min 0 s left',
  );
  expect(progressLine({ ...progress, listingEnded: false })).toBe(
    '1,000 of 4,000+ files, 2,000,000 events, 100,000 events/s, 150 MB/s',
  );
});
