/** A machine image was shared with another account, an organization or everybody. */
import { defineDetector } from '../../src/detector.ts';

const share = (launchPermission: object) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'ModifyImageAttribute',
  requestParameters: { imageId: 'ami-1234567890abcdef0', attributeType: 'launchPermission', launchPermission },
});
const add = (item: object) => share({ add: { items: [item] } });
const remove = (item: object) => share({ remove: { items: [item] } });
const toAccount = add({ userId: '444455556666' });

export const detector = defineDetector({
  id: 'image-shared',
  title: 'A machine image was shared',
  description:
    'Whoever may launch an image reads all that is on its disks. The same call takes shares back; only adding counts.',
  severity: 'high',
  severityReason: 'Whole disks leave the account in one call that moves no data.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      { event_source: 'ec2.amazonaws.com', event_name: 'ModifyImageAttribute', outcome: 'success' },
      {
        any: [
          { 'request_parameters.launchPermission.add.items[].userId': { exists: true } },
          { 'request_parameters.launchPermission.add.items[].group': 'all' },
          { 'request_parameters.launchPermission.add.items[].organizationArn': { exists: true } },
          { 'request_parameters.launchPermission.add.items[].organizationalUnitArn': { exists: true } },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} shared {request_parameters.imageId} with {request_parameters.launchPermission.add.items[].userId}{request_parameters.launchPermission.add.items[].group} from {source_address}',
  falsePositives: ['A pipeline that publishes golden images to sister accounts: suppress its role.'],
  blindSpots: ['Images that are copied or exported instead (CopyImage, CreateStoreImageTask, ExportImage).'],
  response: ['Take the share back; look at what the image holds.'],
  examples: [
    {
      name: 'shared with an account',
      records: [toAccount],
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'shared with everybody',
      records: [add({ group: 'all' })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'shared with an organization and a unit of it',
      records: [
        add({ organizationArn: 'arn:aws:organizations::444455556666:organization/o-example' }),
        add({ organizationalUnitArn: 'arn:aws:organizations::444455556666:ou/o-example/ou-example' }),
      ],
      alerts: [
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
      ],
    },
    {
      name: 'shares are taken back',
      records: [remove({ userId: '444455556666' }), remove({ group: 'all' })],
      alerts: [],
    },
    {
      name: 'refused, only read, another service, or by an AWS service',
      records: [
        { ...toAccount, errorCode: 'Client.UnauthorizedOperation' },
        { ...toAccount, eventName: 'DescribeImageAttribute' },
        { ...toAccount, eventSource: 'example.amazonaws.com' },
        { ...toAccount, userIdentity: { type: 'AWSService', invokedBy: 'imagebuilder.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
