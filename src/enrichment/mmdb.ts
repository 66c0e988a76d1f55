/** Databases of addresses in MaxMind's format, as MaxMind, DB-IP and IPinfo give them out: https://maxmind.github.io/MaxMind-DB/. */
import { readFileSync } from 'node:fs';
import { Reader } from 'mmdb-lib';
import type { AddressContext } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import { canonical, parseAddress } from '../network.ts';

type Entry = Readonly<Record<string, unknown>>;

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const entryOf = (value: unknown): Entry => (typeof value === 'object' && value !== null ? (value as Entry) : {});

/** MaxMind and DB-IP: `country.iso_code`, or the country that it is registered in; IPinfo: `country_code`, or the code as `country`. */
export function countryOf(entry: Entry): string | null {
  const code =
    textOf(entryOf(entry['country'])['iso_code']) ??
    textOf(entryOf(entry['registered_country'])['iso_code']) ??
    textOf(entry['country_code']) ??
    textOf(entry['country']);
  return code !== null && /^[A-Za-z]{2}$/u.test(code) ? code.toUpperCase() : null;
}

/** MaxMind and DB-IP: `autonomous_system_number` and `…_organization`; IPinfo: `asn` as `AS64496`, `as_name` or `name`. */
export function systemOf(entry: Entry): Pick<AddressContext, 'asn' | 'as_name'> {
  const number = entry['autonomous_system_number'] ?? /^AS(\d{1,10})$/iu.exec(textOf(entry['asn']) ?? '')?.[1];
  const asn = Number(number ?? Number.NaN);
  return {
    asn: Number.isSafeInteger(asn) && asn > 0 ? asn : null,
    as_name: textOf(entry['autonomous_system_organization']) ?? textOf(entry['as_name']) ?? textOf(entry['name']),
  };
}

export interface AddressDatabase {
  /** What it is called, and when it was built, as far as it says. */
  readonly name: string;
  readonly builtAt: Date;
  /** Null where it knows nothing. */
  find(text: string): Entry | null;
}

/** Throws `config-invalid`. The file is held in memory. */
export function openDatabase(file: string): AddressDatabase {
  let reader: Reader<never>;
  try {
    reader = new Reader<never>(readFileSync(file));
  } catch (cause) {
    throw new AppError(
      'config-invalid',
      `cannot read the database of addresses ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { hint: 'Expected a file in the MMDB format, such as GeoLite2-Country.mmdb, unpacked.', cause },
    );
  }
  const { databaseType, buildEpoch, ipVersion } = reader.metadata;
  return {
    name: databaseType,
    builtAt: buildEpoch,
    find(text) {
      const address = parseAddress(text);
      if (address === null || (address.family === 6 && ipVersion === 4)) return null;
      // Where IPv4 is written as IPv6, a database has it under IPv4 only.
      return reader.get(canonical(address));
    },
  };
}
