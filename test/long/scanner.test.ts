import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkAlone, checkBetween, checkSums } from '../formats/against-json-parse.ts';
import { decoderOf, decodeSlices, LIMITS } from '../formats/decode.ts';
import { defined, dice, mutate, recordText, recordTextOf } from '../formats/generate.ts';
import { cloudtrailOracle, insightOracle, membersOf, wafOracle } from '../formats/oracle.ts';
import { comparable, sqlRows } from '../formats/sql-oracle.ts';

/** Records of each format, whole ones and mutated ones; `TRAILHOUND_FUZZ_RECORDS` asks for another number. */
const RECORDS = Number(process.env['TRAILHOUND_FUZZ_RECORDS'] ?? 1_000_000);
const MUTATIONS = 19;
/** A folder of real log files, gzipped or not. */
const REAL_LOGS = process.env['TRAILHOUND_REAL_LOGS'];
if (REAL_LOGS === undefined)
  process.stderr.write('SKIPPED: real log files, since TRAILHOUND_REAL_LOGS names no folder of them\n');

describe(`${RECORDS} generated and mutated records`, () => {
  it.each([cloudtrailOracle, insightOracle, wafOracle])('of $format.name agree with JSON.parse', async (oracle) => {
    const decoder = await decoderOf(LIMITS, oracle.format);
    const seen = { row: 0, reject: 0, neither: 0 };
    fc.assert(
      fc.property(recordTextOf(oracle), fc.nat(), (text, seed) => {
        const roll = dice(seed);
        const whole = Buffer.from(text);
        for (let i = 0; i <= MUTATIONS; i++) {
          const bytes = i === 0 ? whole : mutate(whole, roll);
          seen[checkAlone(decoder, bytes, oracle)]++;
          if (i % 5 === 0) checkBetween(decoder, bytes, oracle);
        }
      }),
      { numRuns: Math.ceil(RECORDS / (MUTATIONS + 1)) },
    );
    expect(seen.row + seen.reject + seen.neither).toBeGreaterThanOrEqual(RECORDS);
    expect(Math.min(seen.row, seen.reject)).toBeGreaterThan(RECORDS / 20);
  });
});

describe('pure SQL', () => {
  let connection: DuckDBConnection;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trailhound-sql-'));
    connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    await connection.run("SET TimeZone = 'UTC'");
  });

  afterAll(() => {
    connection.closeSync();
    rmSync(folder, { recursive: true, force: true });
  });

  async function checkAgainstSql(records: readonly string[]): Promise<void> {
    const content = `{"Records":[${records.join(',')}]}`;
    const file = join(folder, 'records.json');
    writeFileSync(file, content);
    const decoded = decodeSlices(await decoderOf(), [Buffer.from(content)]);
    expect(decoded.rejects).toEqual([]);
    expect(decoded.rows.map(comparable)).toEqual((await sqlRows(connection, file)).map(comparable));
  }

  it('gives the same rows for generated records', async () => {
    let checked = 0;
    for (let seed = 1; checked < 20_000; seed++) {
      const records = fc.sample(recordText, { numRuns: 50_000, seed }).filter(defined);
      await checkAgainstSql(records);
      checked += records.length;
    }
  });

  it.skipIf(REAL_LOGS === undefined)('gives the same rows for real log files', async () => {
    const root = REAL_LOGS ?? '';
    if (!existsSync(root)) throw new Error(`TRAILHOUND_REAL_LOGS is ${root}: there is no such folder`);
    const decoder = await decoderOf();
    let compared = 0;
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      const path = join(root, name);
      if (!statSync(path).isFile()) continue;
      const delivered = readFileSync(path);
      const content = delivered[0] === 0x1f && delivered[1] === 0x8b ? gunzipSync(delivered) : delivered;
      // Whatever the file is, nothing of it vanishes.
      const decoded = decodeSlices(decoder, [content]);
      if (decoded.kind !== 'insights') checkSums(decoded, content.length);
      const records = recordsOf(content);
      expect({ path, rows: decoded.rows.length }).toEqual({ path, rows: records.length });
      for (const [index, row] of decoded.rows.entries()) {
        const { extra, ...actual } = row;
        const expected = cloudtrailOracle.expectedRow(records[index] ?? '', Number(row['record_no']));
        expect({ path, ...actual }).toEqual({ path, ...expected.row });
        expect(extra === undefined ? [] : membersOf(String(extra))).toEqual(expected.extra);
      }
      const plain = records.filter(defined);
      if (plain.length > 0) await checkAgainstSql(plain);
      compared += plain.length;
    }
    expect(compared).toBeGreaterThan(0);
  });
});

/** The texts of the records in a file, one document or one a line, as JSON.parse and the oracle see them. */
function recordsOf(content: Buffer): string[] {
  const text = content.toString('utf8').replace(/^\ufeff/, '');
  const documents = parses(text) ? [text.trim()] : text.split('\n').map((line) => line.trim());
  return documents.flatMap((document) => {
    if (!parses(document)) return [];
    const list = document.startsWith('[')
      ? document
      : membersOf(document)?.find(({ key, raw }) => key === 'Records' && raw.startsWith('['))?.raw;
    if (list === undefined) return cloudtrailOracle.isRecord(document) ? [document] : [];
    return itemsOf(list).filter((item) => item.startsWith('{') && cloudtrailOracle.isRecord(item));
  });
}

/** The items of a valid JSON list, as they are written. */
function itemsOf(list: string): string[] {
  const inner = list.slice(1, -1).trim();
  if (inner === '') return [];
  const items: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < inner.length; at++) {
    const char = inner[at];
    if (char === '"') {
      at++;
      while (inner[at] !== '"') at += inner[at] === '\\' ? 2 : 1;
    } else if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    else if (char === ',' && depth === 0) {
      items.push(inner.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...items, inner.slice(start).trim()];
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
