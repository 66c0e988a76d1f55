/** The accounts of an organization, from moto and into the file that a run reads. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateAccountCommand,
  CreateOrganizationalUnitCommand,
  CreateOrganizationCommand,
  DescribeCreateAccountStatusCommand,
  ListRootsCommand,
  MoveAccountCommand,
  OrganizationsClient,
  TagResourceCommand,
} from '@aws-sdk/client-organizations';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { accountsText, readAccounts } from '../../src/enrichment/accounts.ts';
import { readOrganization } from '../../src/enrichment/organization.ts';
import { AWS_ENV, type Moto, motoMissing, startMoto } from '../support/moto.ts';

const dir = mkdtempSync(join(tmpdir(), 'trailhound-accounts-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe.skipIf(motoMissing !== null)('an organization', () => {
  let moto: Moto;
  let client: OrganizationsClient;
  beforeAll(async () => {
    for (const [name, value] of Object.entries(AWS_ENV)) vi.stubEnv(name, value);
    moto = await startMoto();
    client = new OrganizationsClient({
      endpoint: moto.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
  }, 120_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    client.destroy();
    await moto.stop();
  });

  test('that is none is told with the permissions that asking takes', async () => {
    await expect(readOrganization({ endpointUrl: moto.url })).rejects.toMatchObject({
      code: 'source-unreadable',
      message: expect.stringContaining('AWSOrganizationsNotInUseException'),
      hint: expect.stringContaining('organizations:ListRoots'),
    });
  });

  test('comes with names, units and tags, and a run reads the file again', async () => {
    await client.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }));
    const { Roots: [root] = [] } = await client.send(new ListRootsCommand({}));
    const made = async (ParentId: string, Name: string): Promise<string> => {
      const { OrganizationalUnit: unit } = await client.send(new CreateOrganizationalUnitCommand({ ParentId, Name }));
      return unit?.Id ?? '';
    };
    const workloads = await made(root?.Id ?? '', 'Workloads');
    const prod = await made(workloads, 'Prod');
    const { CreateAccountStatus: status } = await client.send(
      new CreateAccountCommand({ AccountName: 'payments: prod', Email: 'payments@example.com' }),
    );
    const { CreateAccountStatus: done } = await client.send(
      new DescribeCreateAccountStatusCommand({ CreateAccountRequestId: status?.Id ?? '' }),
    );
    const id = done?.AccountId ?? '';
    await client.send(
      new MoveAccountCommand({ AccountId: id, SourceParentId: root?.Id ?? '', DestinationParentId: prod }),
    );
    await client.send(new TagResourceCommand({ ResourceId: id, Tags: [{ Key: 'env', Value: 'prod' }] }));

    const { accounts, refused } = await readOrganization({ endpointUrl: moto.url });
    expect(refused).toEqual([]);
    expect(accounts.get(id)).toEqual({ name: 'payments: prod', ou: 'Root/Workloads/Prod', tags: { env: 'prod' } });
    // The management account lies in the root itself.
    expect(new Set([...accounts.values()].map(({ ou }) => ou))).toEqual(new Set(['Root', 'Root/Workloads/Prod']));

    const file = join(dir, 'accounts.yaml');
    writeFileSync(file, accountsText(accounts));
    expect(readAccounts(file)).toEqual(accounts);
  });
});
