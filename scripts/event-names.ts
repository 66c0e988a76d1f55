/**
 * Writes facts/event-names.txt, the event names that CloudTrail can hold by event source, out of a wheel of botocore and of what AWS's pages tell beside it:
 *
 *     pip download --no-deps botocore && node --import tsx scripts/event-names.ts botocore-*.whl
 *
 * Run by hand when AWS has new services; the file says which version it is from.
 */
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { DOCUMENTED, LOGGED_ELSEWHERE, NOT_LOGGED } from './support/event-names.ts';
import { readMembers } from './support/zip.ts';

const FILE = fileURLToPath(new URL('../facts/event-names.txt', import.meta.url));
/** Every version of every service: of old versions there are records in archives. */
const MODEL = /^botocore\/data\/[^/]+\/[^/]+\/service-2[.]json(?:[.]gz)?$/u;

interface Model {
  readonly metadata: { readonly endpointPrefix: string; readonly signingName?: string; readonly serviceId?: string };
  readonly operations: Readonly<Record<string, unknown>>;
}

async function* modelsOf(wheel: string): AsyncGenerator<Model> {
  for await (const { name, bytes } of readMembers(wheel, (member) => MODEL.test(member)))
    yield JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as Model;
}

const [wheel] = process.argv.slice(2);
const version = /^botocore-(\d+[.]\d+[.]\d+)/u.exec(basename(wheel ?? ''))?.[1];
if (wheel === undefined || version === undefined) {
  console.error('expected the path of a wheel of botocore, such as botocore-1.44.8-py3-none-any.whl');
  process.exit(2);
}

const names = new Map<string, Set<string>>();
const add = (source: string, some: readonly string[]): void => {
  const known = names.get(source) ?? new Set();
  for (const name of some) known.add(name);
  names.set(source, known);
};
for await (const { metadata, operations } of modelsOf(wheel)) {
  // Requests are signed for the service that logs them: `bedrock-runtime` signs as `bedrock`, `api.ecr` as `ecr`, `email` as `ses`.
  const signed = (metadata.signingName ?? metadata.endpointPrefix).toLowerCase();
  const logged = LOGGED_ELSEWHERE.find(({ service }) => service === metadata.serviceId)?.sources ?? [signed];
  const left = NOT_LOGGED.filter(({ source }) => logged.includes(source)).flatMap((one) => one.names);
  for (const source of logged)
    add(
      source,
      Object.keys(operations).filter((name) => !left.includes(name)),
    );
}
for (const { source, names: some } of DOCUMENTED) add(source, some);

const pages = DOCUMENTED.map(({ source, names: some, page }) => `# ${source}: ${some.join(' ')}\n#   ${page}\n`);
const lines = [...names]
  .toSorted(([a], [b]) => (a < b ? -1 : 1))
  .map(([source, some]) => `${source} ${[...some].toSorted().join(' ')}\n`);
writeFileSync(
  FILE,
  `# Event names of CloudTrail by event source (without .amazonaws.com), written by scripts/event-names.ts. Facts, not code.
# Operations of the service models of botocore ${version} (Apache-2.0), https://pypi.org/project/botocore/${version}/, read on ${new Date().toISOString().slice(0, 10)}.
# Beside them, what no operation of a model is called, each with the page that tells it:
${pages.join('')}${lines.join('')}`,
);
console.log(
  `${lines.length} event sources, ${[...names.values()].reduce((sum, { size }) => sum + size, 0)} event names`,
);
