/** The builds of a CodeBuild project may be read by everybody. */
import { defineDetector } from '../../src/detector.ts';

const change = {
  eventSource: 'codebuild.amazonaws.com',
  eventName: 'UpdateProjectVisibility',
  requestParameters: {
    projectArn: 'arn:aws:codebuild:us-east-1:111122223333:project/payments',
    projectVisibility: 'PUBLIC_READ',
  },
};

export const detector = defineDetector({
  id: 'codebuild-project-made-public',
  title: 'A CodeBuild project was made public',
  description:
    'Anybody on the internet can read the logs and artifacts of all builds of the project, past ones too. Build logs are full of names, addresses and now and then a password.',
  severity: 'high',
  severityReason: 'Opens logs and artifacts at once; only open source projects want it.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      {
        event_source: 'codebuild.amazonaws.com',
        event_name: 'UpdateProjectVisibility',
        outcome: 'success',
        'request_parameters.projectVisibility': 'PUBLIC_READ',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} made {request_parameters.projectArn} public from {source_address}',
  falsePositives: ['An open source project.'],
  blindSpots: ['Artifacts in a bucket that is public itself.'],
  response: ['Make it private again, then read the logs as a stranger would have.'],
  examples: [
    {
      name: 'a project is made public',
      records: [change],
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a project is made private',
      records: [{ ...change, requestParameters: { ...change.requestParameters, projectVisibility: 'PRIVATE' } }],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...change, errorCode: 'AccessDeniedException' },
        { ...change, eventName: 'UpdateProject' },
        { ...change, eventSource: 'example.amazonaws.com' },
        { ...change, userIdentity: { type: 'AWSService', invokedBy: 'codepipeline.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
