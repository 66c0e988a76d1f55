/** A notebook gets a script that runs when it starts. */
import { defineDetector } from '../../src/detector.ts';

const base = {
  eventSource: 'sagemaker.amazonaws.com',
  eventName: 'UpdateNotebookInstanceLifecycleConfig',
  requestParameters: { notebookInstanceLifecycleConfigName: 'setup' },
};
const update = (change: object) => ({
  ...base,
  eventName: 'UpdateNotebookInstance',
  requestParameters: { notebookInstanceName: 'lab', ...change },
});

export const detector = defineDetector({
  id: 'notebook-startup-script-replaced',
  title: 'The start-up script of a SageMaker notebook was replaced',
  description:
    'A lifecycle configuration runs as root of the notebook, with its role, each time the notebook starts. Replacing it is a quiet way to the rights of that role.',
  severity: 'medium',
  severityReason: 'Code with the rights of somebody else; platform teams do it now and then.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1059.009', version: 16 },
    { technique: 'T1546', version: 16 },
  ],
  tags: ['execution', 'persistence'],
  when: {
    all: [
      { event_source: 'sagemaker.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: 'UpdateNotebookInstanceLifecycleConfig' },
          { event_name: 'UpdateNotebookInstance', 'request_parameters.lifecycleConfigName': { exists: true } },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.notebookInstanceLifecycleConfigName}{request_parameters.notebookInstanceName} in {aws_region} from {source_address}',

  falsePositives: ['The platform team maintains its scripts: suppress its role.'],
  blindSpots: [
    'The script itself, which the record may leave out.',
    'Lifecycle configurations that are new (CreateNotebookInstanceLifecycleConfig).',
  ],

  response: [
    'Read the script; run the saved question principal-timeline for the role of the notebook since first_seen.',
  ],
  examples: [
    {
      name: 'each way',
      records: [base, update({ lifecycleConfigName: 'setup' })],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'another change, or another call',
      records: [
        update({ instanceType: 'ml.t3.large' }),
        { ...update({ lifecycleConfigName: 'setup' }), eventName: 'DescribeNotebookInstance' },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...base, errorCode: 'AccessDeniedException' },
        { ...base, eventName: 'DescribeNotebookInstanceLifecycleConfig' },
        { ...base, eventSource: 'example.amazonaws.com' },
        { ...base, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
