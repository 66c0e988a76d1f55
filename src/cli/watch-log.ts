/** Lines of a process that runs for months, on stderr: for people, or one JSON object each. */
import type { Log, LogFields, LogLevel } from '../log.ts';
import { json } from '../printable.ts';
import { scrubbed } from '../secret-value.ts';
import { formatTime } from '../time.ts';
import type { Terminal } from './terminal.ts';

export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export function createLog(format: LogFormat, terminal: Terminal): Log {
  return (level, event, fields = {}) => {
    const line = format === 'json' ? jsonLine(level, event, fields) : textLine(event, fields);
    terminal.log(level, scrubbed(line), format === 'json');
  };
}

const jsonLine = (level: LogLevel, event: string, fields: LogFields): string =>
  json({ time: formatTime(Date.now()), level, event, ...fields });

/** `2026-01-01T00:00:00Z delivered: sink=oncall attempts=1`. */
function textLine(event: string, fields: LogFields): string {
  const values = Object.entries(fields).map(([name, value]) => {
    const text = String(value);
    return `${name}=${/^[^\s="]+$/u.test(text) ? text : json(text)}`;
  });
  return `${formatTime(Date.now())} ${event}${values.length === 0 ? '' : `: ${values.join(' ')}`}`;
}
