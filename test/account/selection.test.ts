/** What a trail selects, in both forms of its selectors. */
import { describe, expect, test } from 'vitest';
import { selectionOf } from '../../src/account/trails.ts';

const field = (Field: string, ...Equals: string[]) => ({ Field, Equals });

describe('what a trail selects', () => {
  test.each([
    ['nothing', [], [], { read: false, write: false }, [], {}],
    ['all management events', [{}], [], { read: true, write: true }, [], {}],
    [
      'writing ones, without those of KMS',
      [{ ReadWriteType: 'WriteOnly' as const, ExcludeManagementEventSources: ['kms.amazonaws.com'] }],
      [],
      { read: false, write: true },
      ['kms.amazonaws.com'],
      {},
    ],
    [
      'what one selector leaves out and another takes',
      [{ ExcludeManagementEventSources: ['kms.amazonaws.com'] }, { ReadWriteType: 'ReadOnly' as const }],
      [],
      { read: true, write: true },
      [],
      {},
    ],
    [
      'data events alone',
      [
        {
          IncludeManagementEvents: false,
          ReadWriteType: 'ReadOnly' as const,
          DataResources: [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }],
        },
      ],
      [],
      { read: false, write: false },
      [],
      { 'AWS::S3::Object': { read: true, write: false } },
    ],
    [
      'advanced selectors',
      [],
      [
        {
          FieldSelectors: [
            field('eventCategory', 'Management'),
            { Field: 'eventSource', NotEquals: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'] },
          ],
        },
        { FieldSelectors: [field('eventCategory', 'Data'), field('resources.type', 'AWS::Lambda::Function')] },
        {
          FieldSelectors: [
            field('eventCategory', 'Data'),
            field('resources.type', 'AWS::S3::Object'),
            field('readOnly', 'false'),
          ],
        },
        { FieldSelectors: [field('eventCategory', 'NetworkActivity'), field('eventSource', 'ec2.amazonaws.com')] },
      ],
      { read: true, write: true },
      ['kms.amazonaws.com', 'rdsdata.amazonaws.com'],
      { 'AWS::Lambda::Function': { read: true, write: true }, 'AWS::S3::Object': { read: false, write: true } },
    ],
  ])('%s', (_name, basic, advanced, management, excluded, data) => {
    const selection = selectionOf(basic, advanced);
    expect({ ...selection, data: Object.fromEntries(selection.data) }).toEqual({ management, excluded, data });
  });
});
