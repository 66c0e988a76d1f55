/** Lists of what to look for, as people receive them: a file with an address, network, access key, ARN or user agent on each line. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '../errors.ts';
import { canonical, parseAddress, parseNetwork } from '../network.ts';
import { type Config, systemReason } from './config.ts';

export const INDICATOR_KINDS = ['address', 'network', 'access_key', 'arn', 'user_agent'] as const;
export type IndicatorKind = (typeof INDICATOR_KINDS)[number];

export interface Indicator {
  readonly kind: IndicatorKind;
  readonly value: string;
}

/** The lists of the config, by name. Throws `config-invalid`. */
export function configLists(config: Config): Map<string, readonly Indicator[]> {
  return new Map(Object.entries(config.lists).map(([name, file]) => [name, readList(resolve(config.dir, file))]));
}

/** Reads a list. `#` starts a comment; `192[.]0[.]2[.]1` is read as the address it stands for. Throws `config-invalid`, naming the line. */
export function readList(file: string): Indicator[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('config-invalid', `cannot read the list ${file}: ${systemReason(cause)}`, {
      hint: 'A list is a text file with an address, CIDR, access key, ARN or user agent on each line.',
      cause,
    });
  }
  const indicators = new Map<string, Indicator>();
  text
    .replace(/^\ufeff/u, '')
    .split(/\r?\n/u)
    .forEach((line, index) => {
      const value = line.replace(/(^|\s)#.*$/u, '').trim();
      if (value === '') return;
      const indicator = classify(value.replaceAll('[.]', '.'), `${file}:${index + 1}`);
      indicators.set(`${indicator.kind} ${indicator.value}`, indicator);
    });
  if (indicators.size === 0) {
    throw new AppError('config-invalid', `the list ${file} is empty`, {
      hint: 'Put an address, CIDR, access key, ARN or user agent on each line.',
    });
  }
  return [...indicators.values()];
}

/** Ids of access keys: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes */
const ACCESS_KEY = /^(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,28}$/u;

function classify(value: string, place: string): Indicator {
  const address = parseAddress(value);
  if (address !== null) return { kind: 'address', value: canonical(address) };
  if (parseNetwork(value) !== null) return { kind: 'network', value: value.toLowerCase() };
  if (/^[0-9a-f.:]+\/\d+$|^[0-9]+([.][0-9]+){2,}$/iu.test(value)) {
    throw new AppError('config-invalid', `${place}: '${value}' is neither an address nor a network`, {
      hint: 'Write 192.0.2.7, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32.',
    });
  }
  if (ACCESS_KEY.test(value)) return { kind: 'access_key', value };
  return { kind: value.startsWith('arn:') ? 'arn' : 'user_agent', value };
}
