/** One of several processes that use a store at the same time: `node catalog-process.ts <store> commit|hunt|status|segments`. */
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { openStore } from '../../src/store/store.ts';

const ROUNDS = 30;
const [dir = '', task = ''] = process.argv.slice(2);
const store = await openStore(dir);

if (task === 'commit') {
  const writer = await store.openWriter([cloudtrailTable]);
  for (let round = 1; round <= ROUNDS; round++) {
    await writer.commit([
      {
        files: [
          {
            file: { key: `/logs/${round}`, sizeBytes: 1, version: '1' },
            logFile: writer.takeLogFileIds(1),
            status: 'done',
            kind: 'log',
            sha256: null,
            copyOf: null,
            uncompressedBytes: 1,
            records: { in: 0, stored: 0, duplicate: 0, rejected: 0, id_conflicts: 0, without_time: 0 },
            minTimeMs: null,
            maxTimeMs: null,
            rejectReasons: {},
            error: null,
          },
        ],
        segments: [],
        conflicts: [],
        rejectFiles: [],
      },
    ]);
  }
  await writer.close();
}

for (let round = 1; round <= ROUNDS; round++) {
  if (task === 'status') await store.status();
  if (task === 'segments') await store.segments(cloudtrailTable);
  if (task === 'hunt') {
    const at = '2026-01-01T00:00:00Z';
    await store.recordHunt({
      alerts: [
        {
          schema: 1,
          id: String(round).padStart(32, '0'),
          detector: 'd',
          detector_version: 1,
          title: 't',
          severity: 'low',
          status: 'open',
          subject: {},
          summary: 's',
          count: 1,
          peak: null,
          first_seen: at,
          last_seen: at,
          window: { from: at, to: at },
          account_id: null,
          region: null,
          accounts: [],
          regions: [],
          source_ips: [],
          principal_arn: null,
          attack: [],
          event_ids: [],
          event_ids_total: 0,
          parameters: {},
          suppressed_by: null,
          new: true,
          coverage: null,
        },
      ],
      withdrawn: [],
      seqs: [{ key: { detector: 'd', version: 1, parametersHash: 'h' }, seq: round }],
    });
  }
}
