/** Somebody asks AWS for more capacity. */
import { defineDetector } from '../../src/detector.ts';

const ask = (serviceCode: string) => ({
  eventSource: 'servicequotas.amazonaws.com',
  eventName: 'RequestServiceQuotaIncrease',
  requestParameters: { serviceCode, quotaCode: 'L-1216C47A', desiredValue: 512 },
});

export const detector = defineDetector({
  id: 'quota-increase-requested',
  title: 'More machines, models or mails were asked for',
  description:
    'A request to raise a quota of EC2, Bedrock, SageMaker, SES or Lambda. Before costs explode, somebody has to ask.',
  severity: 'low',
  severityReason: 'Growing companies ask as well; worth a look beside other alerts.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1496', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      {
        event_source: 'servicequotas.amazonaws.com',
        event_name: ['RequestServiceQuotaIncrease', 'PutServiceQuotaIncreaseRequestIntoTemplate'],
        outcome: 'success',
        'request_parameters.serviceCode': ['ec2', 'bedrock', 'sagemaker', 'ses', 'lambda', 'fargate', 'batch'],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} asked for {request_parameters.desiredValue} of {request_parameters.serviceCode} {request_parameters.quotaCode} in {aws_region} from {source_address}',

  falsePositives: ['A team that grows.'],
  blindSpots: ['Requests by a case of AWS Support (CreateCase).'],

  response: ['Ask who needs it; run the saved question regions-in-use for aws_region.'],
  examples: [
    {
      name: 'each service',
      records: [
        ...['ec2', 'bedrock', 'sagemaker', 'ses', 'lambda', 'fargate', 'batch'].map(ask),
        { ...ask('ec2'), eventName: 'PutServiceQuotaIncreaseRequestIntoTemplate' },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 8 },
      ],
    },
    { name: 'another quota', records: [ask('vpc')], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...ask('ec2'), errorCode: 'AccessDeniedException' },
        { ...ask('ec2'), eventName: 'GetRequestedServiceQuotaChange' },
        { ...ask('ec2'), eventSource: 'example.amazonaws.com' },
        { ...ask('ec2'), userIdentity: { type: 'AWSService', invokedBy: 'servicequotas.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
