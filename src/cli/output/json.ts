/** JSON of many items, some at a time: that of a hundred thousand alerts would be longer than one text can be. */
import { json } from '../../printable.ts';
import type { Terminal } from '../terminal.ts';

const AT_A_TIME = 1000;

export async function writeJsonLines(items: readonly object[], terminal: Terminal): Promise<void> {
  for (let at = 0; at < items.length; at += AT_A_TIME)
    await terminal.out(
      items
        .slice(at, at + AT_A_TIME)
        .map((item) => `${json(item)}\n`)
        .join(''),
    );
}

/** The bytes that JSON.stringify would give with an indent of two. */
export async function writeJsonList(items: readonly object[], terminal: Terminal): Promise<void> {
  if (items.length === 0) return terminal.out('[]\n');
  for (let at = 0; at < items.length; at += AT_A_TIME) {
    const texts = items.slice(at, at + AT_A_TIME).map((item) => `  ${json(item, 2).replaceAll('\n', '\n  ')}`);
    await terminal.out(`${at === 0 ? '[' : ','}\n${texts.join(',\n')}`);
  }
  await terminal.out('\n]\n');
}
