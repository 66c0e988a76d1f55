/** Prints what the whole catalogue would ask of Athena over an organisation: statements, partitions, columns, texts, and days of logs read, for a day and for 90. */
import { readConfig } from '../src/cli/config.ts';
import { loadDetectors } from '../src/cli/detectors.ts';
import { TABLES } from '../src/cli/wire.ts';
import { daysRead, planCatalogue } from './support/athena-catalogue.ts';

const catalogue = await loadDetectors(await readConfig(undefined));
const detectors = catalogue.entries.map(({ detector }) => detector);
console.log(
  '| window | table | detectors | statements | of these for single events | pieces | partitions of a scan at most | columns at most | text at most | days read together | days read one by one |',
);
console.log('| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
for (const days of [1, 90]) {
  const { together, apart, pieces } = await planCatalogue(detectors, days);
  for (const { name } of TABLES) {
    if (!detectors.some(({ table }) => table === name)) continue;
    const own = together.filter(({ tables }) => tables.some(({ table }) => table === name));
    const reads = own.flatMap(({ tables }) => tables.filter(({ table }) => table === name));
    const singles = own.filter(({ title }) =>
      title.split(', ').every((id) => catalogue.get(id).detector.slot === 'event'),
    );
    console.log(
      `| ${[
        `${days} d`,
        name,
        detectors.filter(({ table }) => table === name).length,
        own.length,
        singles.length,
        name === 'cloudtrail' ? pieces : '',
        Math.max(...reads.map(({ partitions }) => partitions)),
        Math.max(...reads.map(({ columns }) => columns.length)),
        Math.max(...own.map(({ text }) => Buffer.byteLength(text))),
        daysRead(together, name),
        daysRead(apart, name),
      ].join(' | ')} |`,
    );
  }
}
