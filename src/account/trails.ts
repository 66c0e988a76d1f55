/** The trails of an account: what they select, and where they deliver to. */
import {
  type AdvancedEventSelector,
  CloudTrailClient,
  type Trail as Described,
  DescribeTrailsCommand,
  type EventSelector,
  GetEventSelectorsCommand,
  GetInsightSelectorsCommand,
  GetTrailStatusCommand,
  paginateListTrails,
} from '@aws-sdk/client-cloudtrail';
import type { Selection, Trail, TrailSelection } from '../account.ts';
import { awsReason, clientConfig } from '../aws.ts';
import type { AwsOptions } from '../source.ts';
import type { Questions } from './questions.ts';

export interface FoundTrail {
  readonly trail: Trail;
  readonly arn: string;
  readonly bucket: string;
  /** As the trail has it, without `AWSLogs/`. */
  readonly prefix: string;
}

/** In every region, also those of the organisation. A trail is asked about in its home region: elsewhere AWS knows its shadow only. */
export async function findTrails(
  aws: AwsOptions,
  questions: Questions,
): Promise<{ readonly trails: readonly FoundTrail[]; readonly areAll: boolean }> {
  const clients = new Map<string, CloudTrailClient>();
  const clientOf = (region: string | undefined): CloudTrailClient => {
    const known = clients.get(region ?? '');
    if (known !== undefined) return known;
    const client = new CloudTrailClient({
      ...clientConfig({ ...aws, ...(region !== undefined && { region }) }),
      ...(aws.profile !== undefined && { profile: aws.profile }),
    });
    clients.set(region ?? '', client);
    return client;
  };
  try {
    const found = new Map<string, Described>();
    const add = (trails: readonly Described[] = []): void => {
      for (const trail of trails) found.set(trail.TrailARN ?? '', trail);
    };
    const here = await questions.ask('describe the trails (cloudtrail:DescribeTrails)', () =>
      clientOf(undefined).send(new DescribeTrailsCommand({ includeShadowTrails: true })),
    );
    add(here?.trailList);
    const elsewhere = await questions.ask('list the trails of other regions (cloudtrail:ListTrails)', async () => {
      const infos = [];
      for await (const { Trails: trails = [] } of paginateListTrails({ client: clientOf(undefined) }, {}))
        infos.push(...trails);
      return infos;
    });
    let areAll = here !== null && elsewhere !== null;
    for (const { TrailARN: arn = '', HomeRegion: region } of elsewhere ?? []) {
      if (found.has(arn)) continue;
      const described = await questions.ask(`describe the trail ${arn} (cloudtrail:DescribeTrails)`, () =>
        clientOf(region).send(new DescribeTrailsCommand({ trailNameList: [arn] })),
      );
      add(described?.trailList);
      areAll &&= described !== null;
    }
    const trails: FoundTrail[] = [];
    for (const described of found.values()) {
      const trail = await lookAt(described, clientOf(described.HomeRegion), questions);
      if (trail !== null) trails.push(trail);
    }
    return { trails, areAll };
  } finally {
    for (const client of clients.values()) client.destroy();
  }
}

async function lookAt(
  described: Described,
  client: CloudTrailClient,
  questions: Questions,
): Promise<FoundTrail | null> {
  const { TrailARN: arn, Name: name, S3BucketName: bucket } = described;
  if (arn === undefined || name === undefined || bucket === undefined) return null;
  const status = await questions.ask(`ask whether the trail ${name} is logging (cloudtrail:GetTrailStatus)`, () =>
    client.send(new GetTrailStatusCommand({ Name: arn })),
  );
  const selectors = await questions.ask(`ask what the trail ${name} selects (cloudtrail:GetEventSelectors)`, () =>
    client.send(new GetEventSelectorsCommand({ TrailName: arn })),
  );
  const insights = await questions.ask(
    `ask for the Insights events of the trail ${name} (cloudtrail:GetInsightSelectors)`,
    () => hasInsights(client, arn),
  );
  return {
    arn,
    bucket,
    prefix: described.S3KeyPrefix ?? '',
    trail: {
      name,
      isOrganizations: described.IsOrganizationTrail === true,
      isMultiRegion: described.IsMultiRegionTrail === true,
      homeRegion: described.HomeRegion ?? '',
      hasGlobalServices: described.IncludeGlobalServiceEvents === true,
      isLogging: status?.IsLogging ?? null,
      selects: selectors === null ? null : selectionOf(selectors.EventSelectors, selectors.AdvancedEventSelectors),
      hasInsights: insights,
      kmsKey: described.KmsKeyId ?? null,
    },
  };
}

async function hasInsights(client: CloudTrailClient, arn: string): Promise<boolean> {
  try {
    const { InsightSelectors: selectors = [] } = await client.send(new GetInsightSelectorsCommand({ TrailName: arn }));
    return selectors.length > 0;
  } catch (error) {
    if (awsReason(error).name.startsWith('InsightNotEnabled')) return false;
    throw error;
  }
}

/** A trail has selectors of one form or of the other: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html. */
export function selectionOf(
  basic: readonly EventSelector[] = [],
  advanced: readonly AdvancedEventSelector[] = [],
): TrailSelection {
  const parts = [...basic.map(basicSelection), ...advanced.map(advancedSelection)];
  const data = new Map<string, Selection>();
  for (const [type, selection] of parts.flatMap((part) => [...part.data]))
    data.set(type, either(data.get(type) ?? NOTHING, selection));
  const managing = parts.filter(({ management }) => management.read || management.write);
  return {
    management: managing.map(({ management }) => management).reduce(either, NOTHING),
    // What one selector leaves out, another one may take.
    excluded: (managing[0]?.excluded ?? []).filter((source) =>
      managing.every(({ excluded }) => excluded.includes(source)),
    ),
    data,
  };
}

const NOTHING: Selection = { read: false, write: false };
const either = (a: Selection, b: Selection): Selection => ({ read: a.read || b.read, write: a.write || b.write });

function basicSelection(selector: EventSelector): TrailSelection {
  const selection = { read: selector.ReadWriteType !== 'WriteOnly', write: selector.ReadWriteType !== 'ReadOnly' };
  return {
    management: selector.IncludeManagementEvents === false ? NOTHING : selection,
    excluded: selector.ExcludeManagementEventSources ?? [],
    data: new Map((selector.DataResources ?? []).map(({ Type: type = '' }) => [type, selection])),
  };
}

function advancedSelection({ FieldSelectors: fields = [] }: AdvancedEventSelector): TrailSelection {
  const equal = (name: string): readonly string[] => fields.find(({ Field }) => Field === name)?.Equals ?? [];
  const [readOnly] = equal('readOnly');
  const selection = { read: readOnly !== 'false', write: readOnly !== 'true' };
  const categories = equal('eventCategory');
  return {
    management: categories.includes('Management') ? selection : NOTHING,
    excluded: fields.find(({ Field }) => Field === 'eventSource')?.NotEquals ?? [],
    data: new Map(categories.includes('Data') ? equal('resources.type').map((type) => [type, selection]) : []),
  };
}
