/** The words of docs/glossary.md, kept in names. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { TABLES } from '../../src/cli/wire.ts';
import { CATALOG_TABLES } from '../../src/store/catalog-tables.ts';

const root = new URL('../../', import.meta.url);
const names = (folder: string, ending: string): string[] =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => basename(name, ending));

const glossary = readFileSync(new URL('docs/glossary.md', root), 'utf8');
const forbidden = glossary
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| say'))
  .flatMap((line) => line.split('|').at(3)?.split(',') ?? [])
  .map((word) => word.trim())
  .filter((word) => word !== '');
const emptyWords = [...(/no id begins with them: (.*)\./.exec(glossary)?.[1] ?? '').matchAll(/`(\w+)`/g)].map(
  ([, word = '']) => word,
);

const ids = [...names('detectors/', '.ts'), ...names('queries/', '.sql')];
const columns = [...TABLES, ...CATALOG_TABLES].flatMap((table) =>
  table.columns.map((column) => `${table.name}.${column.name}`),
);

test('the glossary names words to avoid', () => {
  expect(forbidden).toContain('notice');
  expect(emptyWords).toContain('suspicious');
  expect(ids.length).toBeGreaterThan(0);
});

test('no id and no column has a word in it that the glossary replaces by another', () => {
  const wrong = [...ids, ...columns].filter((name) => name.split(/[-_.]/).some((word) => forbidden.includes(word)));
  expect(wrong).toEqual([]);
});

test('no id begins with a word that says nothing', () => {
  expect(ids.filter((id) => emptyWords.includes(id.split('-')[0] ?? ''))).toEqual([]);
});

test('ids are kebab-case and columns snake_case', () => {
  expect(ids.filter((id) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id))).toEqual([]);
  expect(columns.filter((name) => !/^[a-z0-9_]+\.[a-z][a-z0-9_]*$/.test(name))).toEqual([]);
});
