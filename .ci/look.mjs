/** Looks at what the quick start stored and found: exits with 1 and says why when it is not what sample-logs promises. */
import { readFileSync } from 'node:fs';

const [status, alerts] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')));
const { records, balanced } = status;
const complaints = [
  [balanced === true, 'the sums of the store do not balance'],
  [
    records.in === records.stored + records.duplicate + records.rejected,
    'records in are not stored, duplicate or rejected',
  ],
  [records.stored > 7000, `only ${records.stored} events are stored`],
  [records.rejected > 0, 'the broken files left no reject'],
  [records.id_conflicts === 1, `${records.id_conflicts} id conflicts instead of the one forged record`],
  [alerts.some(({ detector }) => detector === 'trail-logging-stopped'), 'the stopped trail raised no alert'],
].flatMap(([holds, complaint]) => (holds ? [] : [complaint]));
for (const complaint of complaints) console.error(complaint);
console.log(`${records.stored} events stored, ${alerts.length} alerts`);
process.exitCode = complaints.length > 0 ? 1 : 0;
