/** The plan of a hunt as text that is SQL still: what else there is to say stands in comments. */
import type { HuntStatement, RunStatement } from '../hunt.ts';
import { printable } from '../printable.ts';

const TIME_DIGITS = 8;

export function statementText(statement: HuntStatement | RunStatement): string {
  const { title, columns, sql } = statement;
  const reads = columns.length === 0 ? '' : `-- reads ${columns.join(', ')}\n`;
  const took = 'ms' in statement ? `-- took ${timeText(statement.ms)}\n` : '';
  return `-- ${printable(title)}\n${reads}${took}${sql};\n\n`;
}

/** The sums: what detectors share, then each that has statements of its own, the slowest first. */
export function timesText(statements: readonly RunStatement[]): string {
  const shared = new Map<string, number>();
  const own = new Map<string, number>();
  for (const { title, detectors, ms } of statements) {
    const [only] = detectors;
    const [sums, name] = detectors.length === 1 && only !== undefined ? [own, only] : [shared, title];
    sums.set(name, (sums.get(name) ?? 0) + ms);
  }
  const lines = (sums: ReadonlyMap<string, number>): string =>
    [...sums]
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, ms]) => `-- ${timeText(ms).padStart(TIME_DIGITS)}  ${printable(name)}\n`)
      .join('');
  return `-- Time of what several detectors share:\n${lines(shared)}-- Time of each detector's own statements, two of which run side by side:\n${lines(own)}`;
}

const timeText = (ms: number): string => `${ms.toFixed(1)} ms`;
