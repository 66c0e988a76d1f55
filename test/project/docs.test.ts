/** Documentation that can be held against the code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/cli/config-file.ts';
import { buildProgram } from '../../src/cli/main.ts';
import { Terminal } from '../../src/cli/terminal.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const below = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`);

const handWritten = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...below('docs').filter((path) => path.endsWith('.md')),
];

test('every detector has its page, and every page its detector', () => {
  const detectors = below('detectors').filter((path) => path.endsWith('.ts'));
  const pages = below('docs/reference/detectors').filter((path) => !path.endsWith('README.md'));
  const ids = (paths: string[], ending: string): string[] => paths.map((path) => basename(path, ending)).toSorted();
  expect(ids(pages, '.md')).toEqual(ids(detectors, '.ts'));
});

/** A pattern in code may look like a link. */
const withoutCode = (text: string): string => text.replace(/```.*?```|`[^`\n]*`/gs, '');

test('every relative link leads to a file', () => {
  const broken = handWritten.flatMap((path) =>
    [...withoutCode(read(path)).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target.replace(/#.*$/, ''))
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(root, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

const program = await buildProgram({
  terminal: new Terminal(),
  signal: new AbortController().signal,
  serves: false,
  exit: () => undefined,
});

/** The command that a line of a shell runs: the words after `trailhound` as far as they are commands, and its long options. */
function resolveCommand(line: string): string | null {
  const words = line.replace(/\s+#.*$/, '').split(/\s+/);
  let command: Command = program;
  const known = new Set(command.options.map((option) => option.long));
  for (const word of words.slice(words.indexOf('trailhound') + 1)) {
    const child = command.commands.find((one) => one.name() === word);
    if (child === undefined) break;
    command = child;
    for (const option of child.options) known.add(option.long);
  }
  if (command.name() === 'trailhound') return `no such command: ${line}`;
  const unknown = words.filter((word) => word.startsWith('--') && !known.has(word.split('=')[0]) && word !== '--help');
  return unknown.length > 0 ? `no such option: ${unknown.join(' ')} in: ${line}` : null;
}

test('README, CONTRIBUTING and docs/watch.md show only commands, options and npm scripts that exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const shell = ['README.md', 'CONTRIBUTING.md', 'docs/watch.md'].flatMap((path) => {
    const text = read(path);
    const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) => block.split('\n'));
    const inline = [...text.matchAll(/`((?:npx )?trailhound [^`]*|npm (?:run|test)[^`]*)`/g)].map(
      ([, code = '']) => code,
    );
    return [...blocks, ...inline].flatMap((line) => line.split('&&')).map((line) => line.trim());
  });
  const commands = shell.filter((line) => /^(npx )?trailhound /.test(line) && !line.includes('<id>'));
  const npmScripts = shell.flatMap((line) => /^npm run (?:-s )?([\w:-]+)/.exec(line)?.[1] ?? []);
  expect(commands.length).toBeGreaterThan(0);
  expect(commands.map(resolveCommand).filter((complaint) => complaint !== null)).toEqual([]);
  expect(npmScripts.filter((name) => scripts[name] === undefined)).toEqual([]);
});

test('every config in docs/watch.md can be read', () => {
  const configs = [...read('docs/watch.md').matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
  expect(configs.length).toBeGreaterThan(3);
  for (const text of configs) expect(parseConfig(text, 'docs/watch.md').dir).toBe('docs');
});
