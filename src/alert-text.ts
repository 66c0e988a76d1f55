/** Who an alert is about and where it came from, in the words of the table and of every message. */
import type { Alert } from './alert.ts';
import { valueText } from './printable.ts';

/** `arn:aws:iam::111122223333:user/dora` is read as `user/dora` in account 111122223333. Not made printable. */
export function who(alert: Alert): string {
  const [first] = Object.values(alert.subject);
  const principal = valueText(alert.subject['principal'] ?? alert.principal_arn ?? first ?? null);
  const arn = /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):(.+)$/u.exec(principal);
  return arn === null ? principal || '(nobody)' : `${arn[2]} ${arn[1]}`;
}

/** Not made printable. */
export function whereFrom(alert: Alert): string {
  const [first, ...others] = alert.source_ips;
  const address = first === undefined ? [] : [others.length > 0 ? `${first} +${others.length}` : first];
  const region = alert.region ?? (alert.regions.length > 0 ? `${alert.regions.length} regions` : null);
  return [...address, ...(region === null ? [] : [region])].join(' ');
}
