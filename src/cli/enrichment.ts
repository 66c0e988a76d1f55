/** What the config says is known beside the logs, and which values hold for which accounts. */
import { resolve } from 'node:path';
import { parameterValues } from '../detector.ts';
import { type AccountContext, type Enrichment, NO_CONTEXT } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import { suggestion } from '../suggest.ts';
import type { Run } from './command.ts';
import type { Config } from './config.ts';
import { configLists } from './lists.ts';
import type { Override } from './wire.ts';

/** Opens the files that it names. Throws `config-invalid`. */
export async function configEnrichment(config: Config): Promise<Enrichment> {
  const { mmdb, aws_ranges: awsRanges, accounts, networks, threats } = config.enrichment;
  const named = [mmdb.country, mmdb.asn, awsRanges, accounts].filter((file) => file !== undefined);
  if (named.length + Object.keys(networks).length + threats.length === 0) return NO_CONTEXT;
  const lists = threats.length === 0 ? new Map() : configLists(config);
  const file = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(config.dir, path);
  const { openEnrichment } = await import('./wire.ts');
  return openEnrichment({
    country: file(mmdb.country),
    asn: file(mmdb.asn),
    awsRanges: file(awsRanges),
    accounts: file(accounts),
    networks,
    threats: Object.fromEntries(
      threats.map((name, at) => [name, valuesOf(lists.get(name), config, name, ['enrichment', 'threats', at])]),
    ),
  });
}

function valuesOf(
  indicators: readonly { readonly value: string }[] | undefined,
  config: Config,
  name: string,
  path: readonly PropertyKey[],
): readonly string[] {
  if (indicators !== undefined) return indicators.map(({ value }) => value);
  throw mistake(
    config,
    path,
    `there is no list '${name}'.${suggestion(name, Object.keys(config.lists))}`,
    'Name its file under lists:.',
  );
}

const mistake = (config: Config, path: readonly PropertyKey[], message: string, hint?: string): AppError =>
  new AppError(
    'config-invalid',
    `${config.placeOf(path)}: ${path.map(String).join('.')}: ${message}`,
    hint === undefined ? {} : { hint },
  );

/** Overrides with the ids of their accounts, each value checked. Throws `config-invalid`. */
export async function configOverrides(
  { config }: Pick<Run<unknown>, 'config'>,
  enrichment: Enrichment,
): Promise<readonly Override[]> {
  if (config.overrides.length === 0) return [];
  const { loadDetectors } = await import('./detectors.ts');
  const { entries } = await loadDetectors(config);
  const ids = entries.map(({ detector }) => detector.id);
  return config.overrides.map((override, at): Override => {
    const given = withNamed(override.parameters, config);
    for (const [id, values] of Object.entries(given)) {
      const path = ['overrides', at, 'parameters', id];
      const found = entries.find(({ detector }) => detector.id === id)?.detector;
      if (found === undefined) throw mistake(config, path, `there is no detector '${id}'.${suggestion(id, ids)}`);
      try {
        parameterValues(found, { ...config.parameters[id], ...values });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        throw mistake(config, path, error.message, error.hint);
      }
    }
    return { accounts: accountsOf(config, at, enrichment), parameters: given };
  });
}

/** Ids of the accounts that an override is for. */
function accountsOf(config: Config, at: number, { accounts, sources }: Enrichment): readonly string[] {
  const override = config.overrides[at];
  if (override === undefined) throw new Error(`there is no override ${at}`);
  const known = [...accounts];
  const needed = (key: string): AppError =>
    mistake(
      config,
      ['overrides', at, key],
      'accounts are known by id alone',
      'Name a file of accounts under enrichment.accounts.',
    );
  const chosen = new Set<string>();
  for (const [index, name] of override.accounts.entries()) {
    if (/^\d{12}$/u.test(name)) chosen.add(name);
    else if (!sources.has('accounts')) throw needed('accounts');
    else {
      const own = known.filter(([, account]) => account.name === name);
      const names = known.flatMap(([, account]) => account.name ?? []);
      if (own.length === 0)
        throw mistake(
          config,
          ['overrides', at, 'accounts', index],
          `there is no account '${name}'.${suggestion(name, names)}`,
        );
      for (const [id] of own) chosen.add(id);
    }
  }
  for (const [index, ou] of override.ous.entries()) {
    if (!sources.has('accounts')) throw needed('ous');
    const own = known.filter(([, account]) => account.ou === ou || account.ou?.startsWith(`${ou}/`));
    const ous = [...new Set(known.flatMap(([, account]) => account.ou ?? []))];
    if (own.length === 0)
      throw mistake(
        config,
        ['overrides', at, 'ous', index],
        `no account lies in '${ou}'.${suggestion(ou, ous)}`,
        `Organizational units: ${ous.toSorted().join(', ')}.`,
      );
    for (const [id] of own) chosen.add(id);
  }
  const tags = Object.entries(override.tags);
  if (tags.length > 0) {
    if (!sources.has('accounts')) throw needed('tags');
    const fits = (account: AccountContext): boolean => tags.every(([key, value]) => account.tags[key] === value);
    for (const [id, account] of known) if (fits(account)) chosen.add(id);
  }
  return [...chosen].toSorted();
}

const NAMED = /^(network|list):(.+)$/u;

/** Parameters in which `network:<name>` and `list:<name>` as an item of a list stand for its lines. Throws `config-invalid`. */
export function withNamed(
  parameters: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  config: Config,
): Record<string, Record<string, unknown>> {
  let lists: ReturnType<typeof configLists> | null = null;
  const linesOf = (kind: string, name: string): readonly string[] => {
    if (kind === 'list') lists ??= configLists(config);
    const lines = kind === 'list' ? lists?.get(name)?.map(({ value }) => value) : config.enrichment.networks[name];
    if (lines !== undefined) return lines;
    const names = Object.keys(kind === 'list' ? config.lists : config.enrichment.networks);
    throw new AppError('config-invalid', `there is no ${kind} '${name}' for a parameter.${suggestion(name, names)}`, {
      hint:
        kind === 'list'
          ? 'Name its file under lists: in the config.'
          : 'Define it under enrichment.networks in the config.',
    });
  };
  const expanded = (value: unknown): unknown =>
    Array.isArray(value)
      ? (value as readonly unknown[]).flatMap((item): readonly unknown[] => {
          const [, kind, name] = typeof item === 'string' ? (NAMED.exec(item) ?? []) : [];
          return kind === undefined || name === undefined ? [item] : linesOf(kind, name);
        })
      : value;
  return Object.fromEntries(
    Object.entries(parameters).map(([id, values]) => [
      id,
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, expanded(value)])),
    ]),
  );
}
