/** Names and values below one another. */

import { printable } from '../../printable.ts';
import type { Terminal } from '../terminal.ts';

export type Fact = readonly [name: string, value: string];

/** A name may be empty where a value goes on. `style` is for what is already printable. */
export function factLines(
  facts: readonly Fact[],
  { colors }: Terminal,
  style: (name: string, shown: string) => string = (_, shown) => shown,
): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts
    .map(([name, value]) => `${colors.dim(printable(name).padEnd(width))}  ${style(name, printable(value))}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}
