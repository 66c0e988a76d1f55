/** Finds what logs lie in a bucket, and how AWS laid out their folders, so that tables can be made of them. */
import pLimit from 'p-limit';
import { AppError } from '../../errors.ts';
import type { Folders } from '../../source.ts';
import { type LogRoot, SERVICE_BEGAN } from './ddl.ts';

const ACCOUNT = /^\d{12}$/u;
const ORGANIZATION = /^o-[a-z0-9]{10,32}$/u;
const REGION = /^[a-z]{2,}(?:-[a-z]+)+-\d{1,2}$/u;
/** WAF has one more for CloudFront. */
const WAF_REGION = /^(?:[a-z]{2,}(?:-[a-z]+)+-\d{1,2}|cloudfront)$/u;
const YEAR = /^(?:19|20)\d\d$/u;
const ACCESS_LOG = /(?:^|\/)[^/]*(?:19|20)\d\d-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9A-F]{16}$/u;
/** Lies in the folder of each table that trailhound exported. */
const EXPORT_MARKER = 'trailhound-export.json';
/** The folder of an account or of something below it: what is above, the account, and the service and Region where they are named. */
const WITHIN_ACCOUNT =
  /^(.*?)(\d{12})\/(?:(CloudTrail|CloudTrail-Insight|WAFLogs)\/(?:([a-z]{2,}(?:-[a-z]+)+-\d{1,2}|cloudfront)\/)?)?/u;

/** The tables whose log files lie in a folder of this name below an account. */
const SERVICES: Readonly<Record<string, string>> = {
  CloudTrail: 'cloudtrail',
  'CloudTrail-Insight': 'cloudtrail_insight',
  WAFLogs: 'waf',
};

/** Requests at a time. */
const LANES = 16;
/** Folders of names that say nothing are looked into so deep, and so many of them. */
const UNKNOWN_LEVELS = 2;
const UNKNOWN_FOLDERS = 50;

export interface DiscoverOptions {
  readonly folders: Folders;
  /** Only these; absent: all that are there. */
  readonly accounts?: readonly string[];
  readonly regions?: readonly string[];
  /** First day that matters, `yyyy/MM/dd`. */
  readonly since?: string;
  readonly signal: AbortSignal;
}

/**
 * The roots below `s3://bucket/prefix`: of CloudTrail and its Insights by account and Region, of WAF by account, Region and web ACL, of access logs by account, Region
 * and bucket where they are partitioned. A few requests for each account. Throws `source-missing` where none is found.
 */
export async function discoverRoots(
  bucket: string,
  prefix: string,
  options: DiscoverOptions,
): Promise<readonly LogRoot[]> {
  const whole = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  const within = WITHIN_ACCOUNT.exec(whole);
  const [, above = whole, account, service, region] = within ?? [];
  const search = new Search(bucket, {
    ...options,
    ...(account !== undefined && { accounts: [account] }),
    ...(region !== undefined && { regions: [region] }),
    ...(service !== undefined && { service }),
  });
  await search.look(within === null ? whole : above, 0);
  const roots = search.roots();
  if (roots.length > 0) return roots;
  throw new AppError('source-missing', `no logs were found below s3://${bucket}/${prefix}`, {
    hint: 'Expected folders as AWS lays them out: AWSLogs/[o-…/]<account>/CloudTrail/<region>/…, the same of WAFLogs, or S3 access logs.',
  });
}

/** Accounts whose folders lie beside those of a root and have no part in it: their logs are not read. One request, as a rule. */
export async function unknownAccounts(
  { location, keys }: LogRoot,
  { folders, signal }: Pick<DiscoverOptions, 'folders' | 'signal'>,
): Promise<readonly string[]> {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/su.exec(location) ?? [];
  const [first] = keys;
  if (first === undefined) return [];
  const known = new Set(first.values.map((value) => value.split('/')[0]));
  return (await folders.look(bucket, prefix, signal)).folders.filter((name) => ACCOUNT.test(name) && !known.has(name));
}

class Search {
  readonly #bucket: string;
  readonly #options: DiscoverOptions & { readonly service?: string };
  /** By table and location: the values of each key. */
  readonly #found = new Map<
    string,
    { readonly table: string; readonly location: string; readonly values: Map<string, Set<string>> }
  >();
  readonly #exports: LogRoot[] = [];
  #unknown = 0;

  constructor(bucket: string, options: DiscoverOptions & { readonly service?: string }) {
    this.#bucket = bucket;
    this.#options = options;
  }

  async look(prefix: string, level: number): Promise<void> {
    const { folders, keys } = await this.#list(prefix);
    if (keys.some((key) => key.endsWith(`/${EXPORT_MARKER}`))) {
      this.#addExport(prefix);
      return;
    }
    if (keys.some((key) => ACCESS_LOG.test(key))) this.#add('s3_access', prefix, {});
    const accounts = folders.filter((name) => ACCOUNT.test(name));
    const { accounts: wanted } = this.#options;
    await pLimit(LANES).map(
      accounts.filter((account) => wanted === undefined || wanted.includes(account)),
      (account) => this.#account(prefix, account),
    );
    const others = folders.filter((name) => !ACCOUNT.test(name) && !YEAR.test(name) && !REGION.test(name));
    for (const name of others) {
      const isKnown = name === 'AWSLogs' || ORGANIZATION.test(name);
      if (!isKnown && (level >= UNKNOWN_LEVELS || ++this.#unknown > UNKNOWN_FOLDERS)) continue;
      await this.look(`${prefix}${name}/`, isKnown ? level : level + 1);
    }
  }

  roots(): readonly LogRoot[] {
    const found = [...this.#found.values()].map(({ table, location, values }) => ({
      table,
      location: `s3://${this.#bucket}/${location}`,
      template: templateOf(table, values.size > 0),
      keys: [...values].map(([name, set]) => ({ name, values: [...set].toSorted() })),
      since: this.#options.since ?? SERVICE_BEGAN[table] ?? '2006/03/01',
    }));
    return [...found, ...this.#exports].toSorted((a, b) =>
      `${a.table} ${a.location}` < `${b.table} ${b.location}` ? -1 : 1,
    );
  }

  /** The folder has the name of its table. */
  #addExport(prefix: string): void {
    const table = prefix.split('/').at(-2) ?? '';
    if (!(table in SERVICE_BEGAN)) return;
    const since = this.#options.since ?? SERVICE_BEGAN[table] ?? '';
    this.#exports.push({
      table,
      location: `s3://${this.#bucket}/${prefix}`,
      template: '',
      keys: [],
      since,
      isExport: true,
    });
  }

  async #account(prefix: string, account: string): Promise<void> {
    const { folders } = await this.#list(`${prefix}${account}/`);
    for (const [folder, table] of Object.entries(SERVICES)) {
      if (!folders.includes(folder) || (this.#options.service ?? folder) !== folder) continue;
      const regions = this.#regions((await this.#list(`${prefix}${account}/${folder}/`)).folders);
      for (const region of regions) {
        if (table !== 'waf') this.#add(table, prefix, { account, region });
        else
          for (const acl of (await this.#list(`${prefix}${account}/${folder}/${region}/`)).folders)
            this.#add(table, prefix, { source: `${account}/${folder}/${region}/${acl}` });
      }
    }
    if (this.#options.service !== undefined) return;
    for (const region of this.#regions(folders.filter((name) => REGION.test(name))))
      for (const name of (await this.#list(`${prefix}${account}/${region}/`)).folders)
        this.#add('s3_access', prefix, { source: `${account}/${region}/${name}` });
  }

  #regions(names: readonly string[]): readonly string[] {
    const { regions } = this.#options;
    return names.filter((name) => WAF_REGION.test(name) && (regions === undefined || regions.includes(name)));
  }

  #add(table: string, location: string, keys: Readonly<Record<string, string>>): void {
    const id = `${table} ${location}`;
    const root = this.#found.get(id) ?? { table, location, values: new Map<string, Set<string>>() };
    this.#found.set(id, root);
    for (const [name, value] of Object.entries(keys))
      root.values.set(name, (root.values.get(name) ?? new Set()).add(value));
  }

  #list(prefix: string): ReturnType<Folders['look']> {
    return this.#options.folders.look(this.#bucket, prefix, this.#options.signal);
  }
}

/** Between the location and the day. WAF logs and access logs have one key for all that stands there, since not every combination of its parts exists. */
function templateOf(table: string, hasKeys: boolean): string | null {
  if (!hasKeys) return null;
  if (table === 'cloudtrail') return '${account}/CloudTrail/${region}/';
  if (table === 'cloudtrail_insight') return '${account}/CloudTrail-Insight/${region}/';
  return '${source}/';
}
