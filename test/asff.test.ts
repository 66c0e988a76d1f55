/** An alert as a finding of Security Hub. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AlertStatus } from '../src/alert.ts';
import { toAsff } from '../src/asff.ts';
import { awsSecurityFinding } from './support/asff-schema.ts';
import { hostileAlert } from './support/hostile.ts';
import { ALERT } from './support/messages.ts';

const PLACE = { account: '123456789012', region: 'eu-central-1' };
const AT = '2026-03-02T10:10:00Z';

test('what is in an alert is where Security Hub has it', () => {
  const finding = toAsff(ALERT, PLACE, AT);
  expect(awsSecurityFinding.parse(finding)).toEqual(finding);
  expect(finding).toMatchObject({
    Id: `trailhound/${ALERT.id}`,
    ProductArn: 'arn:aws:securityhub:eu-central-1:123456789012:product/123456789012/default',
    GeneratorId: 'trailhound/trail-logging-stopped',
    AwsAccountId: '123456789012',
    Title: ALERT.title,
    Description: ALERT.summary,
    Severity: { Label: 'CRITICAL', Original: 'critical' },
    Resources: [
      { Type: 'AwsIamUser', Id: ALERT.principal_arn, Partition: 'aws' },
      { Type: 'AwsAccount', Id: 'AWS::::Account:111122223333', Partition: 'aws', Region: 'eu-central-1' },
    ],
    Network: { SourceIpV4: '198.51.100.7', SourceIpV6: '2001:db8::1' },
  });
});

test.each<[AlertStatus, string, string]>([
  ['open', 'ACTIVE', 'NEW'],
  ['acknowledged', 'ACTIVE', 'NOTIFIED'],
  ['closed', 'ARCHIVED', 'RESOLVED'],
  ['suppressed', 'ARCHIVED', 'SUPPRESSED'],
  ['withdrawn', 'ARCHIVED', 'RESOLVED'],
])('%s is %s and %s', (status, recordState, workflow) => {
  const { RecordState, Workflow } = toAsff({ ...ALERT, status }, PLACE, AT);
  expect([RecordState, Workflow.Status]).toEqual([recordState, workflow]);
});

test.each([
  ['cn-north-1', 'aws-cn'],
  ['us-gov-west-1', 'aws-us-gov'],
])('%s is in the partition %s', (region, partition) => {
  const { ProductArn, Resources } = toAsff(ALERT, { ...PLACE, region }, AT);
  expect([ProductArn.split(':')[1], Resources[0]?.Partition]).toEqual([partition, partition]);
});

test('without a principal and an account it is about the account that imports', () => {
  expect(toAsff({ ...ALERT, principal_arn: null, accounts: [], region: null }, PLACE, AT).Resources).toEqual([
    { Type: 'AwsAccount', Id: 'AWS::::Account:123456789012', Partition: 'aws' },
  ]);
});

test('whatever a log says, it is a finding that Security Hub takes', () => {
  fc.assert(
    fc.property(hostileAlert, (alert) => void awsSecurityFinding.parse(toAsff(alert, PLACE, AT))),
    { numRuns: 300 },
  );
});

test('however much a log says', () => {
  const much = '€"'.repeat(500_000);
  const list = Array<string>(20).fill(much);
  const subject = Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`${at}${much}`, much]));
  awsSecurityFinding.parse(
    toAsff(
      {
        ...ALERT,
        title: much,
        summary: much,
        subject,
        accounts: list,
        regions: list,
        source_ips: list,
        event_ids: list,
        principal_arn: `arn:aws:iam::111122223333:role/${much}`,
      },
      PLACE,
      AT,
    ),
  );
});
