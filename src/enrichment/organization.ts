/** The accounts of an AWS organization: names, organizational units and tags, as AWS Organizations tells them. */
import {
  type Account,
  OrganizationsClient,
  paginateListAccountsForParent,
  paginateListOrganizationalUnitsForParent,
  paginateListRoots,
  paginateListTagsForResource,
} from '@aws-sdk/client-organizations';
import { awsReason, clientConfig, unansweredError } from '../aws.ts';
import type { AccountContext } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import { shown } from '../printable.ts';
import type { AwsOptions } from '../source.ts';

/** One service for the whole partition; its endpoint answers wherever a request is signed for. */
const DEFAULT_REGION = 'us-east-1';
const REASON_CHARACTERS = 200;

export interface Organization {
  readonly accounts: ReadonlyMap<string, AccountContext>;
  /** What could not be asked, as sentences. */
  readonly refused: readonly string[];
}

/** Asks for all of them. Throws `aws-credentials`, and `source-unreadable` where AWS does not answer, or refuses what is not tags. */
export async function readOrganization(aws: AwsOptions): Promise<Organization> {
  const client = new OrganizationsClient({
    ...clientConfig({ ...aws, region: aws.region ?? DEFAULT_REGION }),
    ...(aws.profile !== undefined && { profile: aws.profile }),
  });
  const accounts = new Map<string, AccountContext>();
  const refused: string[] = [];
  const tagsOf = async (id: string): Promise<Record<string, string>> => {
    // Who may not read one may not read the others.
    if (refused.length > 0) return {};
    try {
      const tags = await all(paginateListTagsForResource({ client }, { ResourceId: id }), ({ Tags }) => Tags);
      return Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));
    } catch (error) {
      const { name, status, message } = awsReason(error);
      if (status === 0) throw error;
      refused.push(
        `tags are left out: ${shown(`${name}: ${message}`, REASON_CHARACTERS)} (organizations:ListTagsForResource)`,
      );
      return {};
    }
  };
  const add = async ({ Id: id, Name: name }: Account, ou: string): Promise<void> => {
    if (id !== undefined) accounts.set(id, { name: name ?? null, ou, tags: await tagsOf(id) });
  };
  const visit = async (parent: string, path: string): Promise<void> => {
    const ParentId = parent;
    for (const account of await all(
      paginateListAccountsForParent({ client }, { ParentId }),
      ({ Accounts }) => Accounts,
    ))
      await add(account, path);
    const units = await all(
      paginateListOrganizationalUnitsForParent({ client }, { ParentId }),
      ({ OrganizationalUnits }) => OrganizationalUnits,
    );
    for (const { Id: id = '', Name: name = '' } of units) await visit(id, `${path}/${name}`);
  };
  try {
    for (const { Id: id = '', Name: name = 'Root' } of await all(
      paginateListRoots({ client }, {}),
      ({ Roots }) => Roots,
    ))
      await visit(id, name);
    return { accounts, refused };
  } catch (error) {
    throw asAppError(error);
  } finally {
    client.destroy();
  }
}

async function all<Page, Item>(
  pages: AsyncIterable<Page>,
  itemsOf: (page: Page) => readonly Item[] | undefined,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...(itemsOf(page) ?? []));
  return items;
}

function asAppError(error: unknown): unknown {
  const doing = 'list the accounts of the organization';
  const unanswered = unansweredError(error, doing, 'source-unreadable');
  if (unanswered !== null) return unanswered;
  const { name, status, message } = awsReason(error);
  if (status === 0) return error;
  return new AppError('source-unreadable', `cannot ${doing}: ${shown(`${name}: ${message}`, REASON_CHARACTERS)}`, {
    hint: 'It takes organizations:ListRoots, ListAccountsForParent, ListOrganizationalUnitsForParent and ListTagsForResource, in the management account or a delegated administrator.',
    cause: error,
  });
}
