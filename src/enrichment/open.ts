/** What the config names, opened: one answer for each address and account. */
import { createHash } from 'node:crypto';
import { type AddressContext, type ContextSource, type Enrichment, NO_CONTEXT } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import { type Network, parseNetworkOrAddress } from '../network.ts';
import { readAccounts } from './accounts.ts';
import { readAwsRanges } from './aws-ranges.ts';
import { countryOf, openDatabase, systemOf } from './mmdb.ts';
import { NetworkMap } from './networks.ts';

/** Absolute paths. */
export interface EnrichmentFiles {
  readonly country?: string | undefined;
  readonly asn?: string | undefined;
  readonly awsRanges?: string | undefined;
  readonly accounts?: string | undefined;
  /** CIDRs and addresses by name. */
  readonly networks: Readonly<Record<string, readonly string[]>>;
  /** Lines of each list of threats; those that are neither addresses nor networks count for nothing. */
  readonly threats: Readonly<Record<string, readonly string[]>>;
}

/** Addresses of which the answer is remembered: a hunt asks for those of its alerts again. */
const REMEMBERED_MAX = 100_000;

/** Reads all of it. Throws `config-invalid`. */
export function openEnrichment(files: EnrichmentFiles): Enrichment {
  const { networks, threats } = files;
  const country = files.country === undefined ? null : openDatabase(files.country);
  const asn = files.asn === undefined ? null : files.asn === files.country ? country : openDatabase(files.asn);
  const ranges = files.awsRanges === undefined ? null : readAwsRanges(files.awsRanges);
  const accounts = files.accounts === undefined ? new Map() : readAccounts(files.accounts);
  const known = new NetworkMap<string>();
  for (const [name, lines] of Object.entries(networks))
    for (const line of lines) known.add(networkOf(line, name), name);
  const listed = Object.entries(threats)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, lines]) => ({ name, networks: threatsOf(lines) }));
  const sources: Readonly<Record<ContextSource, boolean>> = {
    country: country !== null,
    asn: asn !== null,
    networks: Object.keys(networks).length > 0,
    aws_ranges: ranges !== null,
    threats: listed.length > 0,
    accounts: files.accounts !== undefined,
  };
  const configured = (Object.keys(sources) as ContextSource[]).filter((source) => sources[source]);
  if (configured.length === 0) return NO_CONTEXT;

  // What drifts from month to month is no reason to judge all of the past again: of databases and ranges it counts only that they are there.
  const fingerprints: Readonly<Partial<Record<ContextSource, string>>> = {
    networks: hashOf(JSON.stringify(networks)),
    threats: hashOf(JSON.stringify(threats)),
    ...(files.accounts !== undefined && { accounts: hashOf(JSON.stringify([...accounts])) }),
  };
  const lookUp = (text: string): AddressContext | null => {
    const where = country?.find(text) ?? null;
    const system = asn?.find(text) ?? null;
    const lists = listed.filter((list) => list.networks.find(text) === true).map(({ name }) => name);
    const context: AddressContext = {
      country: where === null ? null : countryOf(where),
      ...(system === null ? { asn: null, as_name: null } : systemOf(system)),
      network: known.find(text) ?? null,
      ...(ranges?.find(text) ?? { aws_service: null, aws_region: null }),
      threat: lists.length === 0 ? null : lists.join(', '),
    };
    return Object.values(context).some((value) => value !== null) ? context : null;
  };
  const remembered = new Map<string, AddressContext | null>();
  return {
    sources: new Set(configured),
    fingerprint: (source) => fingerprints[source] ?? '',
    accounts,
    address(text) {
      const found = remembered.get(text);
      if (found !== undefined) return found;
      const context = lookUp(text);
      if (remembered.size >= REMEMBERED_MAX) remembered.clear();
      remembered.set(text, context);
      return context;
    },
  };
}

function networkOf(line: string, name: string): Network {
  const network = parseNetworkOrAddress(line);
  if (network !== null) return network;
  throw new AppError('config-invalid', `'${line}' of the network '${name}' is neither an address nor a network`, {
    hint: 'Write 192.0.2.7, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32.',
  });
}

function threatsOf(lines: readonly string[]): NetworkMap<true> {
  const networks = new NetworkMap<true>();
  for (const line of lines) {
    const network = parseNetworkOrAddress(line);
    if (network !== null) networks.add(network, true);
  }
  return networks;
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
