/** One of several processes that use a store at the same time: `node catalog-process.ts <store> commit|hunt|status|segments`. */
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { openStore } from '../../src/store/store.ts';
import { ALERT } from '../support/messages.ts';

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
    await store.recordHunt({
      alerts: [{ ...ALERT, id: String(round).padStart(32, '0') }],
      withdrawn: [],
      seqs: [{ key: { detector: 'd', version: 1, parametersHash: 'h' }, seq: round }],
    });
  }
}
