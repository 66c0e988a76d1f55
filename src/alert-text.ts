/** Who an alert is about and where it came from, in the words of the table and of every message. */
import type { Alert } from './alert.ts';
import { valueText } from './printable.ts';

/** `arn:aws:iam::111122223333:user/dora` is read as `user/dora` in account 111122223333. Not made printable. */
export function who(alert: Pick<Alert, 'subject' | 'principal_arn'>): string {
  const [first] = Object.values(alert.subject);
  const principal = valueText(alert.subject['principal'] ?? alert.principal_arn ?? first ?? null);
  const arn = /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):(.+)$/u.exec(principal);
  return arn === null ? principal || '(nobody)' : `${arn[2]} ${arn[1]}`;
}

/** What is known of an address, most telling first; empty for nothing. Not made printable. */
export function knownOfAddress({ context }: Pick<Alert, 'context'>, address: string): string {
  const known = context?.addresses[address] ?? {};
  const system = known.asn === undefined ? [] : [`AS${known.asn}${known.as_name ? ` ${known.as_name}` : ''}`];
  return [
    ...(known.threat ? [`listed: ${known.threat}`] : []),
    ...(known.network ? [known.network] : []),
    ...(known.aws_service ? [`AWS ${known.aws_service}${known.aws_region ? ` ${known.aws_region}` : ''}`] : []),
    ...(known.country ? [known.country] : []),
    ...system,
  ].join(', ');
}

/** What is known of an account, its tags left out; empty for nothing. Not made printable. */
export function knownOfAccount({ context }: Pick<Alert, 'context'>, id: string): string {
  const { name, ou } = context?.accounts[id] ?? {};
  return [name, ou].filter((text) => text !== undefined && text !== null).join(', ');
}

/** A value with what is known of it in brackets. */
export const withKnown = (value: string, known: string): string => (known === '' ? value : `${value} (${known})`);

/** Not made printable. */
export function whereFrom(alert: Alert): string {
  const [first, ...others] = alert.source_ips;
  const address =
    first === undefined
      ? []
      : [`${withKnown(first, knownOfAddress(alert, first))}${others.length > 0 ? ` +${others.length}` : ''}`];
  const region = alert.region ?? (alert.regions.length > 0 ? `${alert.regions.length} regions` : null);
  return [...address, ...(region === null ? [] : [region])].join(' ');
}
