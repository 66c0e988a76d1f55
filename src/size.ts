/** Sizes as a person reads and writes them: decimal units, as disks and links are sold. */
import { AppError } from './errors.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `12.3 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toPrecision(3)} ${UNITS[unit]}`;
}

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12, p: 1e15 };

/** Bytes of `500MB`, `50GB`, `1.5TB`. Throws `usage-invalid`, naming `what` it is for. */
export function parseBytes(text: string, what: string): number {
  const match = /^(\d+(?:[.]\d+)?)\s*([kmgtp]?)b?$/iu.exec(text.trim());
  const bytes = Number(match?.[1]) * (FACTORS[(match?.[2] ?? '').toLowerCase()] ?? Number.NaN);
  if (Number.isFinite(bytes) && bytes > 0) return Math.round(bytes);
  throw new AppError('usage-invalid', `cannot use '${text}' for ${what}: expected a size such as 500MB, 50GB or 1TB`);
}
