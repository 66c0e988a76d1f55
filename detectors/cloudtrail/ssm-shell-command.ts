/** Somebody ran shell commands on instances through Systems Manager. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const command = {
  eventSource: 'ssm.amazonaws.com',
  eventName: 'SendCommand',
  requestParameters: {
    documentName: 'AWS-RunShellScript',
    instanceIds: ['i-1234567890abcdef0'],
    parameters: 'HIDDEN_DUE_TO_SECURITY_REASONS',
    interactive: false,
  },
};

export const detector = defineDetector({
  id: 'ssm-shell-command',
  title: 'A shell command was run through Systems Manager',
  description:
    'SendCommand with one of the documents that run any script, or an interactive session: whoever may do this is administrator of the machine and of its role, without a key or an open port.',
  severity: 'low',
  severityReason:
    'The ordinary tool of operators; a record to look things up in. A first-time caller is ssm-command-first-time-caller.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1651', version: 16 }],
  tags: ['execution'],
  when: {
    all: [
      { event_source: 'ssm.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: 'SendCommand', 'request_parameters.documentName': { endswith: parameter('documents') } },
          { event_name: 'StartSession' },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.instanceIds[]}{request_parameters.target} in {aws_region} from {source_address} ({count} calls in the hour)',
  parameters: {
    documents: z
      .array(z.string())
      .default(['AWS-RunShellScript', 'AWS-RunPowerShellScript', 'AWS-RunRemoteScript'])
      .describe('ends of names of documents that run any script'),
  },
  falsePositives: ['Operators and configuration tools.'],
  blindSpots: [
    'The script, which AWS removes from the record.',
    'Documents of your own that run scripts: add them to documents.',
  ],
  response: [
    'GetCommandInvocation shows what ran for 30 days; the log of the session shows what was typed, if it was kept.',
  ],
  examples: [
    {
      name: 'each of the documents, by its name and by its ARN',
      records: [
        'AWS-RunShellScript',
        'arn:aws:ssm:us-east-1::document/AWS-RunPowerShellScript',
        'AWS-RunRemoteScript',
      ].map((documentName) => ({ ...command, requestParameters: { documentName } })),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 }],
    },
    {
      name: 'a script and a session',
      records: [
        command,
        { ...command, eventName: 'StartSession', requestParameters: { target: 'i-1234567890abcdef0' } },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 }],
    },
    {
      name: 'inventory is gathered',
      records: [{ ...command, requestParameters: { documentName: 'AWS-GatherSoftwareInventory' } }],
      alerts: [],
    },
    {
      name: 'refused, read, another service, or by an AWS service',
      records: [
        { ...command, errorCode: 'InvalidInstanceId' },
        { ...command, eventName: 'ListCommands' },
        { ...command, eventSource: 'example.amazonaws.com' },
        { ...command, userIdentity: { type: 'AWSService', invokedBy: 'ssm.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
