/** docs/destinations.md against the types that there are: every option is told, and every example can be used. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkSinkOptions, SINK_TYPES } from '../../src/sinks/open.ts';

const page = readFileSync(new URL('../../docs/destinations.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^##+ /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);

/** Names in the first column of the tables of options of a section. */
function optionsIn(section: string): string[] {
  return [...section.matchAll(/^\| (`[a-z_]+`(?:, `[a-z_]+`)*) /gm)].flatMap(([, cell = '']) =>
    cell.replaceAll('`', '').split(', '),
  );
}

/** What the type itself says that it has. */
function optionsOf(type: string): string[] {
  const [problem] = checkSinkOptions(type, { nothing: 1 }).filter(({ path }) => path[0] === 'nothing');
  return (problem?.message.replace('unknown key: expected one of ', '') ?? '')
    .split(', ')
    .filter((name) => name !== '');
}

describe.each(SINK_TYPES)('%s', (type) => {
  const section = sections.get(type) ?? '';

  test('has its options in its section', () => {
    const common = optionsIn(sections.get('AWS') ?? '');
    const own = optionsIn(section);
    const isOnAws = optionsOf(type).includes('role_arn');
    expect([...own, ...(isOnAws ? common : [])].toSorted()).toEqual(optionsOf(type).toSorted());
  });

  test('has an example that can be used', () => {
    const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(section) ?? [];
    const [{ id: _id, type: named, ...options }] = parse(yaml) as [Record<string, unknown>];
    expect([named, checkSinkOptions(type, options)]).toEqual([type, []]);
  });
});
