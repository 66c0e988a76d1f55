/** Somebody gives a role to a service that runs code, for the first time. */
import { defineDetector } from '../../src/detector.ts';

const by = (userName: string) => ({
  type: 'IAMUser',
  principalId: `AIDA${userName.toUpperCase()}EXAMPLE`,
  arn: `arn:aws:iam::111122223333:user/${userName}`,
  accountId: '111122223333',
  userName,
});
const CALLS = [
  ['cloudformation', 'CreateStack'],
  ['cloudformation', 'UpdateStack'],
  ['cloudformation', 'CreateChangeSet'],
  ['glue', 'CreateDevEndpoint'],
  ['glue', 'UpdateDevEndpoint'],
  ['glue', 'CreateSession'],
  ['glue', 'CreateJob'],
  ['glue', 'UpdateJob'],
  ['sagemaker', 'CreateNotebookInstance'],
  ['sagemaker', 'CreatePresignedNotebookInstanceUrl'],
  ['sagemaker', 'CreateTrainingJob'],
  ['sagemaker', 'CreateProcessingJob'],
  ['datapipeline', 'PutPipelineDefinition'],
] as const;
const base = {
  eventSource: 'cloudformation.amazonaws.com',
  eventName: 'CreateStack',
  requestParameters: { stackName: 'shop', roleARN: 'arn:aws:iam::111122223333:role/Deployer' },
};
const newcomer = { ...base, eventTime: '2025-03-11T09:00:00Z', userIdentity: by('Mateo_Jackson') };
/** Ten days in which Alice does so each morning. */
const usual = {
  repeat: 10,
  every: '1d',
  record: { ...base, userIdentity: by('Alice'), eventTime: '2025-03-01T08:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'role-passed-first-time-caller',
  title: 'A role was passed to a stack, notebook or job by somebody for the first time',
  description:
    'CloudFormation, Glue, SageMaker, Data Pipeline and Image Builder run what the caller says with the role that the caller names: a well-known way to rights that one does not have. The principal had done so in that account never during the last 30 days.',
  severity: 'medium',
  severityReason: 'A known way to higher rights, out of character; a new pipeline has a first time as well.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1548.005', version: 16 },
    { technique: 'T1648', version: 16 },
  ],
  tags: ['privilege-escalation', 'baseline'],
  when: {
    all: [
      { outcome: 'success' },
      {
        any: [
          {
            event_source: 'cloudformation.amazonaws.com',
            event_name: ['CreateStack', 'UpdateStack', 'CreateChangeSet'],
            'request_parameters.roleARN': { exists: true },
          },
          {
            event_source: 'glue.amazonaws.com',
            event_name: ['CreateDevEndpoint', 'UpdateDevEndpoint', 'CreateSession', 'CreateJob', 'UpdateJob'],
          },
          {
            event_source: 'sagemaker.amazonaws.com',
            event_name: [
              'CreateNotebookInstance',
              'CreatePresignedNotebookInstanceUrl',
              'CreateTrainingJob',
              'CreateProcessingJob',
            ],
          },
          { event_source: 'datapipeline.amazonaws.com', event_name: 'PutPipelineDefinition' },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: { firstSeen: ['principal'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} with {request_parameters.roleARN}{request_parameters.roleArn}{request_parameters.role} in {aws_region} from {source_address}, for the first time in 30 days',

  falsePositives: ['A new pipeline or a new colleague.'],
  blindSpots: [
    'Silent until the account has three days of history.',
    'Functions: lambda-code-changed-first-time-caller. Instances: instance-profile-replaced.',
  ],

  response: [
    'Compare the rights of the role with those of the caller; run the saved question principal-timeline for the role since first_seen.',
  ],
  examples: [
    {
      name: 'a newcomer after ten days of a pipeline, by each call',
      records: [
        usual,
        ...CALLS.map(([source, eventName]) => ({ ...newcomer, eventSource: `${source}.amazonaws.com`, eventName })),
      ],
      alerts: [
        {
          subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' },
          count: 13,
        },
      ],
    },
    { name: 'there is no history yet', records: [newcomer], alerts: [] },
    {
      name: 'a stack without a role, and the same names elsewhere',
      records: [
        usual,
        { ...newcomer, requestParameters: { stackName: 'shop' } },
        ...CALLS.map(([, eventName]) => ({ ...newcomer, eventSource: 'example.amazonaws.com', eventName })),
        ...['cloudformation', 'glue', 'sagemaker', 'datapipeline'].map((source) => ({
          ...newcomer,
          eventSource: `${source}.amazonaws.com`,
          eventName: 'ListTags',
        })),
      ],
      alerts: [],
    },
    {
      name: 'refused, or by an AWS service',
      records: [
        usual,
        { ...newcomer, errorCode: 'AccessDenied' },
        { ...newcomer, userIdentity: { type: 'AWSService', invokedBy: 'servicecatalog.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
