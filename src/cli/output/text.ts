/** Numbers and sizes as a person reads them. */

const count = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `90,210`. */
export const formatCount = (value: number): string => count.format(value);

/** `1 file`, `2 files`. */
export const plural = (value: number, noun: string): string => `${formatCount(value)} ${noun}${value === 1 ? '' : 's'}`;

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSpan(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
